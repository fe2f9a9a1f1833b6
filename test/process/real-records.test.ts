import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { nixgate } from "../support/nixgate.ts";
import { session } from "../support/run-session.ts";
import { workplace } from "../support/workplace.ts";

const ajv = new Ajv2020({ allowUnionTypes: true });
ajv.addVocabulary(["unit", "absent"]);
const validate = ajv.compile(JSON.parse(readFileSync("docs/record.schema.json", "utf8")));

/** Sessions of the built program: one that runs, one that is denied, one that is refused. */
async function served() {
  const place = workplace();
  place.allow("work", ["/bin/sh", "-c", "exit 3"]);
  await session(place, { request: "work" });
  await session(place, { request: "rm -rf /" });
  await session(place, { request: "work", environment: { SSH_TTY: "/dev/pts/1" } });
  return place;
}

test("every record that a session writes is valid by the published schema", async () => {
  const records = (await served()).records();
  expect(new Set(records.map(({ event }) => event)).size).toBe(6);
  for (const record of records)
    expect([record.event, validate(record), validate.errors]).toEqual([record.event, true, null]);
});

test("they are exported and reported as they happened", async () => {
  const place = await served();
  const about = ["--log-dir", place.log];
  const exported = async (format: string) =>
    (await nixgate(["sessions", "export", "--format", format, ...about])).stdout.toString().trimEnd().split(/\r?\n/);
  const ecs = (await exported("ecs")).map((line) => JSON.parse(line));
  expect(ecs.find(({ event }) => event.action === "command.end")).toMatchObject({
    event: { outcome: "failure", reason: "exit" },
    process: { args: ["/bin/sh", "-c", "exit 3"], exit_code: 3 },
    source: { ip: "192.0.2.7", port: 50022 },
  });
  expect((await exported("ocsf")).map((line) => JSON.parse(line).type_uid)).toContain(100702);
  expect(await exported("csv")).toHaveLength(4);
  const page = join(place.folder, "report.html");
  const made = await nixgate(["sessions", "report", "--log-dir", place.log, "--config-dir", place.config, "-o", page]);
  expect({ status: made.status, stderr: made.stderr }).toEqual({ status: 0, stderr: "" });
  const text = readFileSync(page, "utf8");
  expect(text.match(/<article /g)).toHaveLength(3);
  expect(text).toContain("request 1 denied (not-allowlisted): rm -rf /");
  // the very policy that served them says what the cap is
  expect(text).toContain("is 8 (dashed).");
});

test("list, show and the records have one duration of a session", async () => {
  const place = await served();
  const about = ["--log-dir", place.log];
  const printed = async (...words: string[]) => (await nixgate(["sessions", ...words, ...about])).stdout.toString();
  const rows = (await printed("list")).split("\n");
  const ends = place.records().flatMap((record) => (record.event === "session.end" ? [record] : []));
  expect(ends).toHaveLength(3);
  for (const { session: id, wall_ms } of ends) {
    const shown = await printed("show", id);
    const seconds = (wall_ms / 1000).toFixed(3);
    expect(rows.find((row) => row.startsWith(id))).toContain(`  ${wall_ms} ms  `);
    expect(shown).toMatch(new RegExp(`^team alpha, .*, ${wall_ms} ms, `, "m"));
    expect(shown).toMatch(new RegExp(`^  \\+${seconds} s  session ended`, "m"));
  }
});
