import { expect, test } from "vitest";
import { sessionsExport } from "../../../../src/commands/sessions/sessions-export.ts";
import { early, lost, oom, portsOf, running, texts } from "./sessions.fixture.ts";

async function exported(
  options: Record<string, string | boolean>,
  files: Record<string, string> = texts,
  room = Infinity,
) {
  let written = "";
  const ends: string[] = [];
  const output = (path: string | undefined) => ({
    write(text: string) {
      written += text;
      return written.length < room;
    },
    finish: () => void ends.push(`finished ${path}`),
    abandon: () => void ends.push("closed"),
  });
  const result = await sessionsExport.run({ positionals: [], options }, { ...portsOf(files), output });
  return { ...result, written, ends };
}

const sessionsIn = (text: string) => [
  ...new Set(
    text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line).session as string),
  ),
];

test.each<[Record<string, string | boolean>, string[]]>([
  [{}, [early.session, oom.session, lost.session, running.session].sort()],
  [{ team: "alpha" }, [early.session, oom.session]],
  [{ denied: true }, [early.session]],
  [{ cause: "oom" }, [oom.session]],
  [{ running: true }, [running.session]],
  [{ limit: "1" }, [lost.session]],
  [{ limit: "2", team: "alpha" }, [early.session, oom.session]],
  [{ since: "2026-01-05T03:12:02Z", until: "2026-01-05T03:12:02Z" }, [early.session]],
])("%o exports the sessions that list would show", async (options, expected) => {
  expect(sessionsIn((await exported(options)).written).sort()).toEqual([...expected].sort());
});

test("JSON Lines are the records' own lines, each session's together, oldest day first", async () => {
  const [a, b] = [early.lines, oom.lines];
  const mixed = [a[0], b[0], a[1], a[2], b[1], b[2], a[3], a[4], b[3]].join("");
  const { written } = await exported({}, { "beta/2026-01-06": running.lines.join(""), "alpha/2026-01-05": mixed });
  expect(written).toBe([...a, ...b, ...running.lines].join(""));
});

test("--json prints a summary if stdout is free for it", async () => {
  const { stdout } = await exported({ json: true, output: "/tmp/out.jsonl", team: "alpha" });
  expect(JSON.parse(stdout ?? "")).toEqual({ output: "/tmp/out.jsonl", sessions: 2 });
  await expect(exported({ json: true })).rejects.toThrow("--json is for a page or an export in a file");
});

test("damage is reported on stderr and left out", async () => {
  const { written, stderr } = await exported({}, { "alpha/2026-01-05": `{"torn\n${early.lines.join("")}` });
  expect(written).toBe(early.lines.join(""));
  expect(stderr).toMatch(/^\/log\/alpha\/2026-01-05\.jsonl:1: torn/);
});

test("nothing that matches is an empty file, or its titles alone", async () => {
  expect(await exported({ team: "gamma" })).toMatchObject({
    status: 0,
    written: "",
    ends: ["finished undefined", "closed"],
  });
  expect((await exported({ team: "gamma", format: "csv" })).written).toMatch(/^session,team,.*requests\r\n$/);
});

test.each(["ecs", "ocsf"])("%s is one JSON object a line", async (format) => {
  const { written } = await exported({ format });
  const events = written
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(events).toHaveLength(Object.values(texts).join("").trimEnd().split("\n").length);
});

test("a reader that is gone ends the work, and the file is not taken for whole", async () => {
  const many = Array.from({ length: 100 }, () => early.lines.join("")).join("");
  const { status, ends, written } = await exported({}, { "alpha/2026-01-05": many, "alpha/2026-01-04": many }, 1);
  expect({ status, ends }).toEqual({ status: 0, ends: ["closed"] });
  expect(written.length).toBeLessThan(many.length);
});

test.each<[Record<string, string>, string]>([
  [{ format: "xml\u001b" }, "--format xml\\u{1b}"],
  [{ format: "toString" }, "--format toString"],
  [{ since: "soon" }, "--since soon"],
])("%o is a usage error that names it", async (options, message) => {
  await expect(exported(options)).rejects.toMatchObject({ exitStatus: 64, message: expect.stringContaining(message) });
});

test.each(["jsonl", "csv", "ecs", "ocsf"])(
  "%s of a line that no writer made shows a terminal nothing raw",
  async (format) => {
    const nasty = "\u202e\u009b2J";
    const forged = early.lines.map(
      (line) =>
        `${JSON.stringify({ ...JSON.parse(line), host: nasty, member: nasty, request: nasty, argv: [nasty] })}\n`,
    );
    const { written } = await exported({ format }, { "alpha/2026-01-05": forged.join("") });
    expect(written).toMatch(/202e/);
    expect(written.replace(/[\r\n]/g, "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  },
);
