import { expect, test } from "vitest";
import { readPolicy } from "../../../../src/policy/read-policy.ts";
import { greeting } from "../../../../src/session/requests/greeting.ts";
import type { MemberName, SessionId } from "../../../../src/units/ids.ts";

async function greeted(lines: string, member?: string): Promise<string> {
  const read = await readPolicy(`schema = 1\nteam = "alpha"\n${lines}`, "policies/alpha.toml");
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return greeting({ session: "ID" as SessionId, member: member as MemberName | undefined }, read.value);
}

test.each([
  ['[[allow]]\nendpoint = "store-serve-write"\n[[allow]]\nendpoint = "daemon-stdio"', "Nix over ssh:// and ssh-ng://"],
  ['[[allow]]\nendpoint = "daemon-stdio"', "Nix over ssh-ng://"],
  ['[[allow]]\nrequest = ["a"]\nrun = ["/bin/a"]', "the requests of its policy"],
])("%s: %s", async (rules, what) => {
  expect(await greeted(rules)).toBe(
    `nixgate: you are of team alpha; this account serves ${what} and has no shell; Ctrl-C ends this (session ID)`,
  );
  expect(await greeted(rules, "ci")).toContain("you are ci of team alpha;");
});

test("a description is one short line, whatever it holds", async () => {
  const text = await greeted(`description = "a\u202eb${"🌲".repeat(70_000)}"`);
  expect(text).toContain("(a\\u{202e}b🌲");
  expect([...text].length).toBeLessThan(500);
  expect(text.isWellFormed()).toBe(true);
});
