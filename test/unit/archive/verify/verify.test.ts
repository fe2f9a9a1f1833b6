import { describe, expect, test } from "vitest";
import type { DayFile } from "../../../../src/archive/archive.ts";
import { verifyFile } from "../../../../src/archive/verify/verify.ts";
import { append, openChain } from "../../../../src/record/chain.ts";
import type { RawLine } from "../../../../src/record/decode.ts";
import type { RecordBody } from "../../../../src/record/schema.ts";
import { digest } from "../../../../src/units/digest.ts";
import type { SessionId } from "../../../../src/units/ids.ts";
import { BOOT, bodies, sessionLines } from "../../../support/records.ts";

const DAY = "2026-01-05";
const IDENTITY = { session: "019ab000-0000-7000-8000-000000000001" as SessionId, team: "alpha", host: "b", boot: BOOT };
function* rawLines(text: string): Generator<RawLine> {
  for (const [index, line] of text.split("\n").entries())
    if (line !== "") yield { number: index + 1, bytes: Buffer.from(line), tooLong: false };
}
const file = (text: string, team = "alpha", day = DAY): DayFile => ({
  path: `/log/${team}/${day}.jsonl`,
  team,
  day,
  lines: () => rawLines(text),
});
const findings = (text: string, { team = "alpha", day = DAY, alive = false } = {}) => [
  ...verifyFile(file(text, team, day), () => alive, { sessions: 0, records: 0, running: 0 }),
];
const kinds = (...args: Parameters<typeof findings>) => findings(...args).map(({ kind, line }) => `${kind}:${line}`);

const one = sessionLines(`${DAY}T03:12:00Z`);
const two = sessionLines(`${DAY}T03:12:00.500Z`);
const without = (index: number) => one.lines.filter((_, at) => at !== index).join("");
const order = (...indices: number[]) => indices.map((index) => one.lines[index]).join("");
const interleaved = one.lines.flatMap((line, index) => [line, two.lines[index] ?? ""]).join("");

function clockSetBack(): string {
  const { record, chain, line } = append(openChain(IDENTITY), Date.parse(`${DAY}T00:00:01Z`), bodies.start);
  return line + append(chain, Date.parse(record.time) - 86_400_000, bodies.end).line;
}

const hostLine = (body: RecordBody, team = "_host") =>
  sessionLines(`${DAY}T03:00:00Z`, [body], { team }).lines.join("");

describe("verify finds of the host's records", () => {
  const line = hostLine(bodies.close);
  test.each([
    ["one that was changed", line.replace("back at six", "back at ten"), "_host", DAY, "changed:1"],
    ["one that is there twice", line + line, "_host", DAY, "copied:2"],
    ["one of another day", line, "_host", "2026-01-06", "misplaced:1"],
    ["one that a team's account put into its own folder", hostLine(bodies.open, "alpha"), "alpha", DAY, "misplaced:1"],
    [
      "a whole session in the host's folder",
      sessionLines(`${DAY}T03:00:00Z`, undefined, { team: "_host" }).lines.join(""),
      "_host",
      DAY,
      "misplaced:1",
    ],
  ])("%s", (_, text, team, day, found) => expect(kinds(text, { team, day })).toEqual([found]));
});

describe("verify is silent on", () => {
  test.each([
    ["one session", one.lines.join("")],
    ["two sessions side by side", interleaved],
    ["a session that ends after midnight", sessionLines(`${DAY}T23:59:59Z`).lines.join("")],
    ["a clock set back by a day within a session", clockSetBack()],
    [
      "a session that was refused",
      sessionLines(`${DAY}T03:00:00Z`, [bodies.start, bodies.refuse, bodies.end]).lines.join(""),
    ],
    ["an empty file", ""],
    ["an empty line, as two writers behind a torn one may leave it", `\n${one.lines.join("")}\n`],
  ])("%s", (_, text) => expect(findings(text)).toEqual([]));

  test("records of the host, each a chain of its own, and counts no session", () => {
    const text = [hostLine(bodies.close), hostLine(bodies.open)].join("");
    const count = { sessions: 0, records: 0, running: 0 };
    expect([...verifyFile(file(text, "_host"), () => false, count)]).toEqual([]);
    expect(count).toEqual({ sessions: 0, records: 2, running: 0 });
  });

  test("a session that is still running", () => {
    const count = { sessions: 0, records: 0, running: 0 };
    expect([...verifyFile(file(order(0, 1, 2)), () => true, count)]).toEqual([]);
    expect(count).toEqual({ sessions: 1, records: 3, running: 1 });
  });
});

describe("verify finds", () => {
  test.each([
    ["the first record removed", without(0), ["missing:1"]],
    ["a record removed in the middle", without(2), ["missing:3"]],
    ["the end removed", without(4), ["unended:4"]],
    ["two records swapped", order(0, 2, 1, 3, 4), ["missing:2", "order:3"]],
    ["the first two swapped", order(1, 0, 2, 3, 4), ["missing:1", "order:2"]],
    ["a record there twice", order(0, 1, 1, 2, 3, 4), ["order:3"]],
    ["a session copied into the same file", order(0, 1, 2, 3, 4) + one.lines[0], ["copied:6"]],
    ["a record behind the end", order(0, 1, 2, 3, 4, 3), ["after-end:6"]],
    ["a torn line at the end", `${one.lines.join("")}${two.lines[0]?.slice(0, 80)}`, ["torn:6"]],
    ["a torn line in the middle", `{"v":1,"ti\n${one.lines.join("")}`, ["torn:1"]],
    ["something else than a record", `{"hello":1}\n${one.lines.join("")}`, ["foreign:1"]],
  ])("%s", (_, text, expected) => expect(kinds(text)).toEqual(expected));

  test("any one byte changed, wherever it is", () => {
    const text = one.lines.join("");
    for (let at = 0; at < text.length; at += 1) {
      const other = text[at] === "1" ? "2" : "1";
      const changed = text.slice(0, at) + other + text.slice(at + 1);
      expect(findings(changed).length, `byte ${at}: ${text[at]} → ${other}`).toBeGreaterThan(0);
    }
  });

  test("a session copied into another day or another team's folder", () => {
    expect(kinds(one.lines.join(""), { day: "2026-01-06" })).toEqual(["misplaced:1"]);
    expect(kinds(one.lines.join(""), { team: "beta" })).toEqual(["misplaced:1"]);
  });

  test("a forged line without a chain", () => {
    const { prev, hash, ...forged } = JSON.parse(one.lines[3] as string);
    expect(kinds(`${order(0, 1, 2, 3, 4)}${JSON.stringify(forged)}\n`)).toEqual(["foreign:6"]);
    expect(kinds(`${order(0, 1, 2, 3, 4)}${JSON.stringify({ prev, hash, ...forged })}\n`)).toEqual(["foreign:6"]);
  });

  test("a changed record whose own hash was made anew, by the record behind it", () => {
    const covered = (one.lines[1] as string).replace("rm -rf /", "ls -la /").replace(/,"hash":.*\n$/, "");
    const text = `${one.lines[0]}${covered},"hash":"${digest(covered, "hex")}"}\n${order(2, 3, 4)}`;
    expect(kinds(text)).toEqual(["missing:3"]);
  });

  test("a first record that points back to another one", () => {
    const covered = (one.lines[0] as string).replace("0".repeat(64), "1".repeat(64)).replace(/,"hash":.*\n$/, "");
    expect(kinds(`${covered},"hash":"${digest(covered, "hex")}"}\n${order(1, 2, 3, 4)}`)).toEqual([
      "missing:1",
      "missing:2",
    ]);
  });

  test("one damaged session beside a sound one, and says until when it was sound", () => {
    const text = interleaved.replace(one.lines[2] as string, "");
    expect(findings(text)).toEqual([
      expect.objectContaining({
        kind: "missing",
        session: one.session,
        since: `${DAY}T03:12:01.000Z`,
        path: `/log/alpha/${DAY}.jsonl`,
      }),
    ]);
  });
});
