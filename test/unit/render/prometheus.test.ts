import { expect, test } from "vitest";
import { tallyFiles } from "../../../src/archive/statistics/team-counters.ts";
import { renderPrometheus } from "../../../src/render/prometheus.ts";
import { archiveOf } from "../../support/archive-in-memory.ts";
import { sessionLines } from "../../support/records.ts";

test("a host's name ends no label and moves no cursor", () => {
  const host = 'a"b\\c\nd\u001b[2J\u202ee\u{e0041}';
  const { lines } = sessionLines("2026-01-05T03:00:00Z", undefined, { host });
  const { files } = archiveOf({ "alpha/2026-01-05": lines.join("") }).scan();
  const text = renderPrometheus(tallyFiles(files, "2026-01-05", () => false, { byHost: true }));
  expect(text).toMatch(/^[\x20-\x7e\n]*$/);
  const labels = String.raw`{team="alpha",host="a\"b\\c\\u{a}d\\u{1b}[2J\\u{202e}e\\u{e0041}"}`;
  expect(text).toContain(`nixgate_sessions_total${labels} 1\n`);
});
