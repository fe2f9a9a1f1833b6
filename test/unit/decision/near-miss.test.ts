import { describe, expect, test } from "vitest";
import { decide } from "../../../src/decision/decide.ts";
import type { Deny } from "../../../src/decision/decision.ts";
import { readPolicy } from "../../../src/policy/read-policy.ts";
import { parseRequest } from "../../../src/request/parse-request.ts";
import { randomFrom } from "../../support/random.ts";

const rule = (lines: string) => `[[allow]]\n${lines}\n`;
const SERVE = rule('endpoint = "store-serve-write"');
const READ = rule('endpoint = "store-serve"');
const DAEMON = rule('endpoint = "daemon-stdio"');
const BUILD = rule('request = ["nix-store", "-r", "{derivation}"]\nrun = ["/usr/bin/nix-store", "-r", "{derivation}"]');
const UNLISTED = "the request is not on this team's list";

async function denied(request: string, ...rules: readonly string[]): Promise<Deny> {
  const read = await readPolicy(`schema = 1\nteam = "alpha"\n${rules.join("")}`, "policies/alpha.toml");
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  const programs = { "nix-store": "/opt/nix-store", "nix-daemon": "/opt/nix-daemon" };
  const decision = decide(parseRequest(Buffer.from(request), 65_536), read.value, programs, "command");
  if (decision.kind !== "deny") throw new Error(`${request}: ${decision.kind}`);
  return decision;
}

const STORE_WORDS = "ask for `nix-store --serve --write`";
const DAEMON_WORDS = "ask for `nix-daemon --stdio`";

describe("a denial says what to ask for", () => {
  test.each([
    ['PATH=/nix/bin:"$PATH" nix-store --serve --write', `${STORE_WORDS} without words before it`],
    ["source /etc/profile.d/nix.sh; nix-store --serve --write", `${STORE_WORDS} without words before it`],
    ["source /etc/profile.d/nix.sh;nix-store --serve --write", `${STORE_WORDS} without words before it`],
    ["env NIX_REMOTE=daemon nix-store --serve --write", `${STORE_WORDS} without words before it`],
    ["sudo /usr/bin/nix-store --serve --write", `${STORE_WORDS} without words before it`],
    ["sudo nix-daemon --stdio", `${DAEMON_WORDS} without words before it`],
    ["sudo nix daemon --stdio --store 'a b'", `${DAEMON_WORDS} without words before it`],
    ["/bin/sh -c 'nix-store --serve --write'", `${STORE_WORDS} without words before it`],
    [`bash -lc "exec 'nix-daemon' --stdio"`, `${DAEMON_WORDS} without words before it`],
    ["exec exec nix-daemon --stdio", `${DAEMON_WORDS} without words before it`],
    ["'nix-store --serve --write'", `${STORE_WORDS}, without quotes around it`],
    ["nix-store --serve --write && id", `${STORE_WORDS} without words after it`],
    ["nix --extra-experimental-features nix-command daemon --stdio", `${DAEMON_WORDS}, with these words in this order`],
    ["nix-daemon", `${DAEMON_WORDS}, with these words in this order`],
    ["nix-daemon -- --stdio", `${DAEMON_WORDS}, with these words in this order`],
    ["nix-store --write --serve", `${STORE_WORDS}, with these words in this order`],
    ["nix-store --write", `${STORE_WORDS}, with these words in this order`],
  ])("%s", async (request, message) => {
    const near = message.includes("nix-store") ? "allow[0]" : "allow[1]";
    const { rule, ...rest } = await denied(request, SERVE, DAEMON);
    expect({ ...rest, rule: rule?.name }).toMatchObject({
      reason: "not-allowlisted",
      message: `${UNLISTED}: ${message}`,
      rule: near,
    });
    expect(rest.trace.at(-1)).toMatchObject({ looked: "the nearest rule", found: expect.stringContaining(near) });
    // where the policy lists neither, there is nothing to ask for
    expect(await denied(request, BUILD)).toMatchObject({ message: UNLISTED, rule: null });
  });

  test.each([
    ["nix-daemon --stdio", [SERVE], "does not list daemon-stdio: this team may use ssh://, not ssh-ng://"],
    ["sudo nix-daemon --stdio", [SERVE], "list: this team may use ssh://, not ssh-ng://"],
    ["nix-store --serve --write", [DAEMON], "does not list store-serve-write: this team may use ssh-ng://, not ssh://"],
    ["nix-store --serve", [DAEMON], "this team may use ssh-ng://, not ssh://"],
    ["env A=b nix-store --serve --write", [DAEMON], "list: this team may use ssh-ng://, not ssh://"],
    ["nix-store --serve", [SERVE], "does not list store-serve: ask for `nix-store --serve --write`"],
    ["nix-store --serve --write", [READ], 'endpoint = "store-serve-write" with read_only = true'],
    ["sudo nix-store --serve --write", [READ], 'endpoint = "store-serve-write" with read_only = true'],
    ["nix-daemon --stdio", [READ], 'endpoint = "store-serve-write" with read_only = true'],
    ["nix-store --serve --write", [READ, DAEMON], "this team may use ssh-ng://, not ssh://"],
    ["nix-store -r /nix/store/abc", [SERVE, BUILD], "{derivation} of allow[1] takes /nix/store/HASH-NAME.drv"],
  ])("%s by %j: %s", async (request, rules, message) => {
    const decision = await denied(request, ...rules);
    expect(decision.message).toContain(message);
    expect(decision.rule?.name).toBe(`allow[${rules.length - 1}]`);
  });

  test.each([
    "scp -t /tmp",
    "nix-store",
    "nix-store -q --requisites x",
    "nix-store -r",
    "systemctl restart nix-daemon",
    "nix build x",
    "cat nix-daemon",
  ])("nothing where no rule is near: %s", async (request) => {
    expect(await denied(request, SERVE, DAEMON, BUILD)).toMatchObject({ message: UNLISTED, rule: null });
  });

  test("nothing of the client's text, whatever stands around the words", async () => {
    const random = randomFrom(20260302);
    const pick = (list: readonly string[]) => list[Math.floor(random() * list.length)] as string;
    const marks = [
      "xyzzy",
      "'xyzzy'",
      '"xyzzy"',
      "; xyzzy",
      "$(xyzzy)",
      "--xyzzy",
      "/xyzzy/nix-store",
      "\\xyzzy",
      "nix-store",
    ];
    const words = [
      "nix-store",
      "--serve",
      "--write",
      "nix-daemon",
      "--stdio",
      "nix",
      "daemon",
      "-r",
      "--store",
      ...marks,
    ];
    let near = 0;
    for (let round = 0; round < 2000; round += 1) {
      const request = Array.from({ length: 1 + Math.floor(random() * 6) }, () => pick(words)).join(pick([" ", "  "]));
      const decision = await denied(`xyzzy ${request}`, SERVE, DAEMON, BUILD);
      expect(decision.message).not.toContain("xyzzy");
      expect(JSON.stringify(decision.trace)).not.toContain("xyzzy");
      if (decision.rule) near += 1;
    }
    expect(near).toBeGreaterThan(100);
  });

  test("in no time, however long the request is", async () => {
    const began = performance.now();
    await denied("nix-store --serve ".repeat(3600).trim(), SERVE, BUILD);
    await denied(`a ${" ;".repeat(30_000)}`, SERVE, BUILD);
    expect(performance.now() - began).toBeLessThan(2000);
  });
});
