import { expect, test } from "vitest";
import { check } from "../../../../src/commands/config/check.ts";
import { readPolicy } from "../../../../src/policy/read-policy.ts";
import { configFolder, files, HOST } from "../../../support/config-folder.ts";

const HEAD = 'schema = 1\nteam = "alpha"\nallow = [{ endpoint = "daemon-stdio" }]\n[[member]]\nname = "ci"\n';
const MOMENT = Date.parse("2027-03-01T12:00:00Z");
const DAY = 86_400_000;

test.each([
  ["until = 2027-03-01", "2027-03-01T00:00:00Z"],
  ["until = 2027-03-01T12:00:00Z", "2027-03-01T12:00:00Z"],
  ["until = 2027-03-01 12:00:00.9Z", "2027-03-01T12:00:00Z"],
  ["until = 2027-03-01T12:00:00+02:00", "2027-03-01T10:00:00Z"],
  ['until = "2027-03-01"', "2027-03-01T00:00:00Z"],
  ['until = "2027-03-01T12:00:00Z"', "2027-03-01T12:00:00Z"],
  ["until = 2028-02-29", "2028-02-29T00:00:00Z"],
])("%s is a moment of the wall clock", async (line, at) => {
  const read = await readPolicy(HEAD + line, "alpha.toml");
  expect(read).toMatchObject({ ok: true, problems: [], value: { members: [{ name: "ci", until: Date.parse(at) }] } });
});

test.each([
  ["until = 2027-03-01T12:00:00", '"2027-03-01T12:00:00.000" has no time zone'],
  ["until = 12:00:00", '"12:00:00.000" has no time zone'],
  ["until = 2027-02-30", "2027-02-30 is not in the calendar"],
  ["until = 2027-02-30T12:00:00Z", "2027-02-30 is not in the calendar"],
  ['until = "2027-02-30"', '"2027-02-30" is not a date'],
  ['until = "2027-02-30T12:00:00Z"', '"2027-02-30T12:00:00Z" is not a date'],
  ['until = "2027-03-01T12:00:00"', '"2027-03-01T12:00:00" is not a date'],
  ['until = "tomorrow"', '"tomorrow" is not a date'],
  ["until = 20270301", "20270301 is not a date"],
])("%s is refused in one line with a fix", async (line, message) => {
  const { ok, problems } = await readPolicy(HEAD + line, "alpha.toml");
  expect({ ok, problems }).toMatchObject({ ok: false, problems: [{ line: 6, severity: "error" }] });
  expect(problems[0]?.message).toContain(message);
});

test.each([
  ["ended", -1, 'access of "ci" ended at 2027-03-01T12:00:00Z'],
  ["ends now", 0, 'access of "ci" ended at 2027-03-01T12:00:00Z'],
  ["ends in a second", 1000, 'access of "ci" ends in less than a day, at 2027-03-01T12:00:00Z'],
  ["ends tomorrow", DAY, 'access of "ci" ends in 1 day, at 2027-03-01T12:00:00Z'],
  ["ends in 14 days", 14 * DAY, 'access of "ci" ends in 14 days, at 2027-03-01T12:00:00Z'],
  ["ends later", 14 * DAY + 1, undefined],
])("check warns where access %s", async (_, before, message) => {
  const dir = configFolder({ "nixgate.toml": HOST, "policies/alpha.toml": `${HEAD}until = 2027-03-01T12:00:00Z\n` });
  const warned = [dir, `${dir}/policies`, `${dir}/policies/alpha.toml`].map(async (path) => {
    const ports = { files, now: () => MOMENT - before };
    const { status, stdout = "" } = await check.run({ positionals: [path], options: {} }, ports);
    return [status, stdout.split("\n").filter((line) => line.includes("member[0].until"))];
  });
  const line = `${dir}/policies/alpha.toml:6: warning: member[0].until: ${message}`;
  for (const one of await Promise.all(warned)) expect(one).toEqual([0, message === undefined ? [] : [line]]);
});
