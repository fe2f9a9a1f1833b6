import { expect, test } from "vitest";
import { sessionsList } from "../../../../src/commands/sessions/sessions-list.ts";
import { bodies, sessionLines } from "../../../support/records.ts";
import { early, lost, oom, portsOf, run, running, texts } from "./sessions.fixture.ts";

const listed = async (options: Record<string, string | boolean>, files: Record<string, string> = texts) => {
  const { stdout } = await run(sessionsList, [], { ...options, json: true }, portsOf(files));
  return (JSON.parse(stdout ?? "") as { session: string }[]).map(({ session }) => session);
};

test.each<[Record<string, string | boolean>, string[]]>([
  [{}, [lost.session, running.session, oom.session, early.session]],
  [{ team: "alpha" }, [oom.session, early.session]],
  [{ member: "ci" }, [lost.session, running.session, early.session]],
  [{ denied: true }, [early.session]],
  [{ cause: "oom" }, [oom.session]],
  [{ running: true }, [running.session]],
  [{ request: "RM" }, [early.session]],
  [{ since: "2 hours ago" }, [lost.session, running.session]],
  [{ until: "2026-01-05T03:59:00Z" }, [early.session]],
  [{ since: "2026-01-05T03:12:02Z", until: "2026-01-05T03:12:02Z" }, [early.session]],
  [{ client: "10.0.0.0/8" }, [lost.session, running.session, early.session]],
  [{ client: "192.0.2.1" }, []],
  [{ key: "SHA256:47DEQ" }, [lost.session, running.session, oom.session, early.session]],
  [{ key: "47DEQpj8HBSa", team: "alpha" }, [oom.session, early.session]],
  [{ key: "SHA256:DEQpj8" }, []],
  [{ host: "builder" }, [lost.session, running.session, oom.session, early.session]],
  [{ host: "elsewhere" }, []],
  [{ since: "2026-01-05T03:59:00Z", client: "10.0.0.5", running: true }, [running.session]],
  [{ sort: "wall" }, [early.session, oom.session, lost.session, running.session]],
  [{ sort: "cpu", limit: "3" }, [oom.session, early.session, lost.session]],
  [{ sort: "memory", limit: "1" }, [oom.session]],
  [{ sort: "start", limit: "1" }, [lost.session]],
  [{ at: "2026-01-05T03:12:02Z" }, [early.session]],
  [{ at: "today 05:00:00", team: "alpha" }, []],
  [{ limit: "2" }, [lost.session, running.session]],
  [{ limit: "3", team: "alpha" }, [oom.session, early.session]],
])("%o lists the sessions that match, newest first", async (options, expected) => {
  expect(await listed(options)).toEqual(expected);
});

test("the table has one aligned row a session, with the whole id and its end", async () => {
  const { stdout = "", stderr, status } = await run(sessionsList, []);
  const [titles = "", ...rows] = stdout.trimEnd().split("\n");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(titles.split(/ +/)).toEqual([
    "SESSION",
    "TEAM",
    "MEMBER",
    "START",
    "DURATION",
    "CPU",
    "MEMORY",
    "COMMANDS",
    "DENIED",
    "END",
    "CLIENT",
  ]);
  const columns = (row: string | undefined) => row?.split(/ {2,}/);
  expect(columns(rows[3])).toEqual([
    early.session,
    "alpha",
    "ci",
    expect.any(String),
    "12.3 s",
    "3.1 s",
    "812 MiB",
    "1",
    "not-allowlisted",
    "exit 0",
    "10.0.0.5",
  ]);
  expect(columns(rows[2])?.slice(4)).toEqual(["3.0 s", "3.1 s", "812 MiB", "1", "-", "oom (ancestor) 137", "-"]);
  expect(columns(rows[1])?.slice(4)).toEqual(["-", "-", "-", "1", "-", "running", "10.0.0.5"]);
  expect(columns(rows[0])?.[9]).toBe("lost");
  const client = titles.indexOf("CLIENT");
  expect(rows.map((row) => row[client - 1])).toEqual([" ", " ", " ", " "]);
});

test("sessions of several hosts say of which", async () => {
  const { lines, session } = sessionLines("2026-01-06T05:30:00Z", [bodies.start, bodies.end], { host: "elsewhere" });
  const ports = portsOf({ ...texts, "alpha/2026-01-06": lines.join("") });
  const { stdout = "" } = await run(sessionsList, [], {}, ports);
  expect(stdout.split("\n").map((line) => line.split(/ +/).at(-1))).toEqual([
    ...["HOST", "elsewhere", "builder", "builder", "builder", "builder", ""],
  ]);
  expect((await run(sessionsList, [], { host: "elsewhere" }, ports)).stdout).toContain(session);
});

test("a list without matches says so in words", async () => {
  expect((await run(sessionsList, [], { team: "gamma" })).stdout).toBe("no sessions match\n");
});

test("damage is reported on stderr and hides nothing else", async () => {
  const files = { "alpha/2026-01-05": `{"torn\n${early.lines.join("")}{"other":1}\n` };
  const { stdout, stderr } = await run(sessionsList, [], {}, portsOf(files));
  expect(stdout).toContain(early.session);
  expect(stderr).toMatch(/^\/log\/alpha\/2026-01-05\.jsonl:1: torn/);
  expect(stderr).toContain("/log/alpha/2026-01-05.jsonl:7: not a record of nixgate");
});

test("text in records cannot reach the terminal raw", async () => {
  const nasty = "\u001b[2J\u202ex\u009b";
  const { lines, session } = sessionLines("2026-01-05T03:12:00Z", [
    { ...bodies.start, member: nasty, client: { ip: nasty, port: 1 } },
    bodies.end,
  ]);
  const { stdout = "" } = await run(sessionsList, [], {}, portsOf({ "alpha/2026-01-05": lines.join("") }));
  expect(stdout).toContain(session);
  expect(stdout.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  const json = await run(sessionsList, [], { json: true }, portsOf({ "alpha/2026-01-05": lines.join("") }));
  expect(json.stdout?.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

test.each<[string[], Record<string, string>, string]>([
  [["alpha"], {}, "alpha"],
  [[], { cause: "bad\u001bluck" }, "bad\\u{1b}luck"],
  [[], { since: "soon" }, "--since soon"],
  [[], { at: "soon" }, "--at soon"],
  [[], { at: "now", since: "today" }, "--at cannot be combined"],
  [[], { until: "2026-02-31" }, "--until 2026-02-31"],
  [[], { limit: "0" }, "--limit 0"],
  [[], { client: "10.0.0.0/33" }, "--client 10.0.0.0/33"],
  [[], { client: "builder" }, "--client builder"],
  [[], { sort: "size" }, "--sort size"],
  [[], { limit: "1.5" }, "--limit 1.5"],
])("%o %o is a usage error that names it", async (positionals, options, words) => {
  await expect(run(sessionsList, positionals, options)).rejects.toMatchObject({
    exitStatus: 64,
    message: expect.stringContaining(words),
    hint: expect.any(String),
  });
});
