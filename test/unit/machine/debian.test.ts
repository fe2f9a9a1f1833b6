import { expect, test } from "vitest";
import { aptSources } from "../../../tools/machine/debian.ts";

const deb822 = `Types: deb
# a comment inside
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main contrib
Signed-By: /usr/share/keyrings/some.gpg

Types: deb-src
URIs: http://mirror.test/debian
Suites: bookworm
Components: main

Types: deb
URIs: http://security.test/debian-security
Suites: bookworm-security
Components: main
`;
const lines = `# deb http://old.test bookworm main
deb [arch=amd64 signed-by=/k.gpg] http://mirror.test/debian bookworm main
deb https://vendor.test bookworm stable
deb https://vendor.test cloud-bookworm main
`;

const values = (text: string, field: string) =>
  [...text.matchAll(new RegExp(`^${field}: (.*)$`, "gm"))].map((m) => m[1]);

test("only the suite's name is exchanged, in each of the host's own sources", () => {
  const sources = aptSources("trixie", "bookworm", [deb822]);
  expect(values(sources, "URIs")).toEqual(["http://mirror.test/debian", "http://security.test/debian-security"]);
  expect(values(sources, "Suites")).toEqual(["trixie trixie-updates", "trixie-security"]);
  expect(values(sources, "Components")).toEqual(["main contrib", "main"]);
  expect(values(sources, "Signed-By")[0]).toBe("/usr/share/keyrings/some.gpg");
});

test("a suite that still moves is taken without updates and security", () => {
  expect(values(aptSources("forky", "bookworm", [deb822]), "Suites")).toEqual(["forky"]);
});

test("sources in the older format are read, and third parties' are left out", () => {
  const sources = aptSources("trixie", "bookworm", [lines]);
  expect(values(sources, "URIs")).toEqual(["http://mirror.test/debian"]);
  expect(values(sources, "Signed-By")).toEqual(["/k.gpg"]);
});

test("a host without sources of its own suite gives none", () => {
  expect(aptSources("trixie", "bookworm", ["deb http://mirror.test sid main"])).toBe("");
});
