import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { type Builder, startBuilder } from "../support/builder.ts";
import { configFolder, HOST } from "../support/config-folder.ts";
import { nixgate } from "../support/nixgate.ts";

let builder: Builder | undefined;
afterEach(async () => {
  await builder?.stop();
  builder = undefined;
  vi.unstubAllEnvs();
});

/** A line loop that ends with status 0. */
const ECHO = { input: "echo started\n" };

/** A whole second a little ahead: enough for the first session to come before it. */
const soon = () => Math.ceil(Date.now() / 1000) * 1000 + 4000;
const written = (until: number) => new Date(until).toISOString().replace(".000Z", "Z");

/** Asks again and again until access has been over for a second. Each attempt has the time before and after it. */
async function attemptsUntil(until: number, ask: () => Promise<number>) {
  const attempts: { readonly from: number; readonly to: number; readonly status: number }[] = [];
  while (Date.now() < until + 1000) {
    const from = Date.now();
    const status = await ask();
    attempts.push({ from, to: Date.now(), status });
  }
  return {
    before: attempts.filter(({ to }) => to < until).map(({ status }) => status),
    after: attempts.filter(({ from }) => from >= until).map(({ status }) => status),
  };
}

test("the session refuses a member from the second of `until`, without an option in the key's line", async () => {
  const here = await startBuilder({
    sshd: () => [],
    authorizedKeys: ({ forced }, key) => `restrict,command="${forced} --member ci" ${key}\n`,
  });
  builder = here;
  const until = soon();
  appendFileSync(join(here.etc, "policies/alpha.toml"), `[[member]]\nname = "ci"\nuntil = ${written(until)}\n`);
  const { before, after } = await attemptsUntil(until, async () => (await here.ssh(["builder"], ECHO)).status);
  expect(new Set(before)).toEqual(new Set([0]));
  expect(new Set(after)).toEqual(new Set([77]));
  const { stderr } = await here.ssh(["builder"], ECHO);
  expect(stderr).toMatch(/^nixgate: this member's access has ended \(session [0-9a-f-]{36}\)\n$/);
  const refusals = await here.awaitRecords("session.refuse");
  expect(new Set(refusals.map(({ reason }) => reason))).toEqual(new Set(["member-expired"]));
  const starts = here.records().filter(({ event }) => event === "session.start");
  const refused = new Set(refusals.map(({ session }) => session));
  for (const { session, time } of starts) expect(Date.parse(time) >= until, time).toBe(refused.has(session));
});

test("sshd refuses a key by the line of authorized-keys from the same second, in any time zone", async () => {
  vi.stubEnv("TZ", "Asia/Tokyo"); // sshd's own, by which it reads a time without a Z
  const here = await startBuilder({ sshd: () => [], policy: () => '[[member]]\nname = "ci"\n' });
  builder = here;
  const until = soon();
  const key = readFileSync(join(here.folder, "ssh/client_key.pub"), "utf8").trim();
  const member = `[[member]]\nname = "ci"\nkeys = ["${key}"]\nuntil = ${written(until)}\n`;
  const etc = configFolder({ "nixgate.toml": HOST, "policies/alpha.toml": `schema = 1\nteam = "alpha"\n${member}` });
  const printed = (await nixgate(["authorized-keys", "--config-dir", etc])).stdout.toString();
  const others = `command="${here.forced} --member ci"`; // the session itself knows of no end
  writeFileSync(join(here.folder, "ssh/authorized_keys"), printed.replace(/command="[^"]*"/, others));
  const { before, after } = await attemptsUntil(until, async () => (await here.ssh(["builder"], ECHO)).status);
  expect(new Set(before)).toEqual(new Set([0]));
  expect(new Set(after)).toEqual(new Set([255]));
});
