import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { EVENTS } from "../../../src/record/vocabulary.ts";
import { ECS_VERSION, ecsEvents } from "../../../src/report/exports/ecs.ts";
import { EXPORT_FORMATS } from "../../../src/report/exports/export-formats.ts";
import { OCSF_VERSION, ocsfEvents } from "../../../src/report/exports/ocsf.ts";
import { quoted, tableUnder } from "../../support/markdown.ts";
import { bodies, sessionLines } from "../../support/records.ts";
import { wholeOf } from "../../support/report-sessions.ts";

const page = readFileSync("docs/export.md", "utf8");
const firstQuoted = (cell: string | undefined) => quoted(cell ?? "")[0];

test("docs/export.md has every format, and the versions of the schemas", () => {
  expect(tableUnder(page, "format").map(([cell]) => firstQuoted(cell))).toEqual(Object.keys(EXPORT_FORMATS));
  expect(page).toContain(`Elastic Common Schema, version ${ECS_VERSION}`);
  expect(page).toContain(`Framework, version ${OCSF_VERSION}`);
});

test("docs/export.md says what each record becomes", () => {
  const { start, refuse, deny, run, ran, end, close, open, lock, unlock } = bodies;
  const whole = (team: string, said: Parameters<typeof sessionLines>[1]) =>
    wholeOf(sessionLines("2026-01-05T03:12:00Z", said, { team }).lines);
  const ofSession = whole("alpha", [start, refuse, deny, run, ran, end]);
  const sessions = [ofSession, ...[close, open, lock, unlock].map((one) => whole("_host", [one]))];
  const ecs = sessions.flatMap(ecsEvents) as { event: { action: string; category: string[]; type: string[] } }[];
  const ocsf = sessions.flatMap(ocsfEvents) as { type_uid: number }[];
  const coded = ecs.map(({ event }, index) => [
    event.action,
    event.category.join(", "),
    event.type.join(", "),
    String(ocsf[index]?.type_uid),
  ]);
  expect(coded.map(([event]) => event)).toEqual([...EVENTS]);
  expect(tableUnder(page, "record").map((cells) => cells.map(firstQuoted))).toEqual(coded);
});
