import { hostname } from "node:os";
import type { RecordBody } from "../../src/record/schema.ts";
import type { RecordCause, RecordReason } from "../../src/record/vocabulary.ts";
import { randomFrom } from "./random.ts";
import { bodies, sessionLines } from "./records.ts";

const TEAMS = { alpha: ["ci", "dev", "release"], beta: ["ci", "nightly"], gamma: [undefined] } as const;
const REASONS: readonly RecordReason[] = ["not-allowlisted", "not-allowlisted", "store-not-allowed", "malformed"];
const GIB = 2 ** 30;

/** A few busy days of three teams, every kind of ending among them: `team/day` → lines, for writeArchive. */
export function busyArchive(
  sessions: number,
  from = "2026-01-05T06:00:00Z",
  days = 3,
): Readonly<Record<string, string>> {
  const random = randomFrom(7);
  const files: Record<string, string> = {};
  for (let made = 0; made < sessions; made += 1) {
    const spread = made / sessions + 0.12 * Math.sin((made / sessions) * days * 2 * Math.PI);
    const start = Date.parse(from) + Math.max(0, spread) * days * 86_400_000;
    const team = (["alpha", "alpha", "alpha", "beta", "beta", "gamma"] as const)[Math.floor(random() * 6)] ?? "alpha";
    const members = TEAMS[team];
    const member = members[Math.floor(random() * members.length)];
    const said = sessionOf(random, member);
    const key = `${team}/${new Date(start).toISOString().slice(0, 10)}`;
    files[key] = `${files[key] ?? ""}${sessionLines(start, said, { team, host: hostname() }).lines.join("")}`;
  }
  return files;
}

function sessionOf(random: () => number, member: string | undefined): readonly RecordBody[] {
  const wall_ms = Math.round(2000 * Math.exp(random() * 8));
  const client = { ip: `10.0.${Math.floor(random() * 4)}.${Math.floor(random() * 60) + 2}`, port: 40_000 };
  const start = { ...bodies.start, member, client };
  const dice = random();
  if (dice < 0.03) return [start, bodies.refuse, { ...bodies.end, commands: 0, denied: 0, wall_ms: 3, exit: 75 }];
  if (dice < 0.08) {
    const reason = REASONS[Math.floor(random() * REASONS.length)] ?? "malformed";
    return [start, { ...bodies.deny, reason }, { ...bodies.end, commands: 0, denied: 1, wall_ms: 8, exit: 77 }];
  }
  const cause: RecordCause =
    dice < 0.1 ? "oom" : dice < 0.115 ? "timeout" : dice < 0.14 ? "client-gone" : dice < 0.145 ? "tasks-limit" : "exit";
  const limit = 2 * GIB;
  const peak = cause === "oom" ? limit : Math.round(limit * Math.min(0.98, random() ** 2));
  const limits = { asked: { MemoryMax: "2G", TasksMax: 256 }, applied: { MemoryMax: String(limit), TasksMax: "256" } };
  const usage = {
    cpu_ms: Math.round(wall_ms * random() * 1.6),
    memory_peak_bytes: peak,
    tasks_peak: 14,
    oom_kills: cause === "oom" ? 1 : 0,
  };
  const ended = cause === "exit" ? { exit_code: random() < 0.95 ? 0 : 1 } : { signal: "SIGKILL", exit_code: undefined };
  const run = { ...bodies.run, n: 1, limits };
  const all: RecordBody[] = [start, run, { ...bodies.ran, n: 1, cause, wall_ms, usage, leftovers: 0, ...ended }];
  return dice > 0.995
    ? all.slice(0, 2)
    : [...all, { ...bodies.end, denied: 0, wall_ms, cause, exit: cause === "exit" ? 0 : 137 }];
}
