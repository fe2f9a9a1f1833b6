import { expect, test } from "vitest";
import { whatRan } from "../../../src/record/what-ran.ts";

const NIX = "/usr/bin/nix-store";

test.each([
  ["nix-store --serve --write", [NIX, "--serve", "--write"]],
  ["exec nix-store  --serve --write ", [NIX, "--serve", "--write"]],
  ["/nix/var/nix/profiles/default/bin/nix-store --serve --write", [NIX, "--serve", "--write"]],
  [
    "nix-daemon --stdio --store 'local?root=/srv/a b'",
    ["/usr/bin/nix-daemon", "--stdio", "--store", "local?root=/srv/a b"],
  ],
  ["n'ix'-store -r", [NIX, "-r"]],
])("a request that is what ran is told as it came: %s", (request, argv) => {
  expect(whatRan({ request, argv })).toBe(request);
});

test.each([
  ["nix-store --serve --write", [NIX, "--serve"], "nix-store --serve, asked for --serve --write (read only)"],
  [
    "/any/nix-store --serve --write --store x",
    [NIX, "--serve", "--store", "x"],
    "nix-store --serve --store x, asked for /any/nix-store --serve --write --store x (read only)",
  ],
  [
    "exec nix-store --serve --write",
    [NIX, "--serve"],
    "nix-store --serve, asked for exec nix-store --serve --write (read only)",
  ],
  ["nix daemon --stdio", ["/usr/bin/nix-daemon", "--stdio"], "nix-daemon --stdio, asked for nix daemon --stdio"],
  [
    "sudo nix-daemon --stdio",
    ["/usr/bin/nix-daemon", "--stdio"],
    "nix-daemon --stdio, asked for sudo nix-daemon --stdio",
  ],
  ["status", ["/bin/sh", "-c", "exit $X"], "sh -c 'exit $X', asked for status"],
  ["script", ["/bin/sh", "-c", "x".repeat(999)], `sh -c ${"x".repeat(294)}…, asked for script`],
])("%s that ran %j", (request, argv, expected) => {
  expect(whatRan({ request, argv })).toBe(expected);
});
