import { expect, test } from "vitest";
import { csvRow, csvTitles } from "../../../../src/report/exports/csv.ts";
import { HOSTILE, told, wholeOf } from "../../../support/report-sessions.ts";

/** A reader after RFC 4180, section 2. */
function parse(text: string): string[][] {
  const rows: string[][] = [];
  let rest = text;
  while (rest !== "") {
    const row: string[] = [];
    for (;;) {
      const [cell = "", quotedCell, plain] = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))/.exec(rest) ?? [];
      row.push(quotedCell?.replaceAll('""', '"') ?? plain ?? "");
      rest = rest.slice(cell.length);
      if (!rest.startsWith(",")) break;
      rest = rest.slice(1);
    }
    expect(rest.slice(0, 2)).toBe("\r\n");
    rest = rest.slice(2);
    rows.push(row);
  }
  return rows;
}

const columnsOf = (lines: readonly string[]) => {
  const [titles = [], cells = []] = parse(csvTitles() + csvRow(wholeOf(lines)));
  expect(cells).toHaveLength(titles.length);
  return Object.fromEntries(titles.map((title, index) => [title, cells[index]]));
};

test("a session is one row with its figures", () => {
  expect(columnsOf(told.usual.lines)).toMatchObject({
    session: told.usual.session,
    team: "alpha",
    member: "ci",
    client_ip: "10.0.0.5",
    wall_ms: "12300",
    reasons: "not-allowlisted",
    cpu_ms: "3100",
    memory_peak_bytes: "851443712",
    memory_max_bytes: "1073741824",
    tasks_refused: "",
    requests: "rm -rf /\nnix-store --serve --write",
  });
});

test("what is not on record is empty, never 0", () => {
  expect(columnsOf(told.bare.lines)).toMatchObject({ member: "", client_ip: "", end: "", cpu_ms: "", state: "lost" });
});

test("a client cannot put a formula, a quote or a control character into a spreadsheet", () => {
  const { member, requests } = columnsOf(told.hostile.lines);
  expect(member).toBe(HOSTILE.replace("\u202e", "\\u{202e}"));
  expect(requests).toBe(member);
  for (const first of ["=1+1", "+1", "-1", "@SUM(1)", "\uff1d1"]) {
    const lines = told.hostile.lines.map((line) => JSON.parse(line));
    const session = wholeOf(
      lines.map((record) => `${JSON.stringify({ ...record, ...(record.member && { member: first }) })}\n`),
    );
    const [cells = []] = parse(csvRow(session));
    expect(cells[2]).toBe(`'${first}`);
  }
});
