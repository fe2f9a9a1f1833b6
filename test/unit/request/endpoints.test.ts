import { expect, test } from "vitest";
import {
  ENDPOINT_NAMES,
  ENDPOINTS,
  type EndpointName,
  matchEndpoint,
  programOf,
} from "../../../src/request/endpoints.ts";

const match = (request: string) => {
  const found = matchEndpoint(request.split(" "));
  return found && [found.endpoint.name, [found.endpoint.program, ...found.endpoint.arguments].join(" "), found.rest];
};

test.each([
  ["nix-store --serve", "store-serve", "nix-store --serve", []],
  ["nix-store --serve --write", "store-serve-write", "nix-store --serve --write", []],
  ["nix-store --serve --write --quiet", "store-serve-write", "nix-store --serve --write", ["--quiet"]],
  ["nix-store --serve --quiet --write", "store-serve", "nix-store --serve", ["--quiet", "--write"]],
  ["nix-daemon --stdio --store x", "daemon-stdio", "nix-daemon --stdio", ["--store", "x"]],
  ["nix daemon --stdio --store x", "daemon-stdio", "nix-daemon --stdio", ["--store", "x"]],
  ["/opt/nix/bin/nix-daemon --stdio", "daemon-stdio", "nix-daemon --stdio", []],
  ["/nix-store --serve", "store-serve", "nix-store --serve", []],
  ["/opt/..nix/.bin/nix-store --serve", "store-serve", "nix-store --serve", []],
])("%s is the endpoint %s, which runs %s", (request, name, runs, rest) => {
  expect(match(request)).toEqual([name, runs, rest]);
});

test.each([
  "",
  "nix-store",
  "nix-store --write --serve",
  "nix-daemon",
  "nix-daemon --daemon --stdio",
  "nix --stdio daemon",
  "nix-store-2 --serve",
  "my-nix-store --serve",
  "bin/nix-store --serve",
  "./nix-store --serve",
  "/nix-store/ --serve",
  "/a/../nix-store --serve",
  "/a/./nix-store --serve",
  "/a//nix-store --serve",
  "/nix-store/.. --serve",
])("%j is no endpoint", (request) => {
  expect(match(request)).toBeUndefined();
});

test("a word list that begins another one stands behind it", () => {
  for (const { words } of ENDPOINTS) expect(matchEndpoint(words)?.rest).toEqual([]);
});

test("every endpoint has one program, whatever the client calls it", () => {
  expect(ENDPOINT_NAMES.map(programOf)).toEqual(["nix-store", "nix-store", "nix-daemon"]);
  for (const { name, program } of ENDPOINTS) expect(programOf(name)).toBe(program);
});

test("a name that is no endpoint has no program", () => {
  const name: string = "echo-started";
  expect(() => programOf(name as EndpointName)).toThrow("no endpoint echo-started");
});
