import { expect, test } from "vitest";
import { fingerprintsOf } from "../../src/policy/rules/certificates.ts";
import { configFolder, HOST } from "../support/config-folder.ts";
import { exampleKey } from "../support/keys.ts";
import { nixgate } from "../support/nixgate.ts";
import { bodies, sessionLines } from "../support/records.ts";
import { writeArchive } from "../support/temporary.ts";

const [NEW = "", OLD = "", NEVER = ""] = fingerprintsOf([exampleKey(1), exampleKey(2), exampleKey(3)]);
const GONE = bodies.start.key.fingerprint;
const DAY = 86_400_000;
const came = (fingerprint: string, daysAgo: number) => {
  const start = { ...bodies.start, key: { type: "ssh-ed25519", fingerprint } };
  return sessionLines(new Date(Date.now() - daysAgo * DAY).toISOString(), [start, bodies.end]).lines.join("");
};
const dayOf = (daysAgo: number) => new Date(Date.now() - daysAgo * DAY).toISOString().slice(0, 10);

test("lists the keys of policies and records; --unused leaves those that nobody has used for long", async () => {
  const log = writeArchive({
    [`alpha/${dayOf(100)}`]: came(OLD, 100) + came(GONE, 100),
    [`alpha/${dayOf(1)}`]: came(NEW, 1),
  });
  const keys = [1, 2, 3].map((number) => `"${exampleKey(number)}"`);
  const member = `[[member]]\nname = "ci"\nkeys = [${keys.join(", ")}]\nuntil = 2099-01-01\n`;
  const config = configFolder({
    "nixgate.toml": `${HOST}[log]\ndirectory = "${log}"\n`,
    "policies/alpha.toml": `schema = 1\nteam = "alpha"\n${member}`,
  });
  const run = async (...words: string[]) => {
    const { status, stdout, stderr } = await nixgate(["sessions", "keys", "--config-dir", config, ...words]);
    return { status, text: stdout.toString(), said: stderr.toString() };
  };
  const listed = JSON.parse((await run("--json")).text);
  expect(listed.keys.map(({ key, state, sessions }: Record<string, unknown>) => [key, state, sessions])).toEqual([
    [NEW, "listed", 1],
    [OLD, "listed", 1],
    [NEVER, "listed", 0],
    [GONE, "unlisted", 1],
  ]);
  const { text } = await run("--unused", "90d");
  const rows = text.split("\n").slice(1, -1);
  expect(rows.map((row) => row.replaceAll(/ +/g, " ").split(" ").slice(0, 6))).toEqual([
    ["alpha", "ci", OLD, "listed", "2099-01-01", dayOf(100)],
    ["alpha", "ci", NEVER, "listed", "2099-01-01", "never"],
    ["alpha", "ci", GONE, "unlisted", "-", dayOf(100)],
  ]);
  expect((await run("--team", "beta")).text).toBe("no key\n");
  expect(await run("--unused", "soon")).toMatchObject({ status: 64, said: expect.stringContaining("--unused: ") });
});
