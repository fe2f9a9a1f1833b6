import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { append, openChain } from "../../src/record/chain.ts";
import { requestText } from "../../src/record/request-text.ts";
import type { RecordBody } from "../../src/record/schema.ts";
import type { RecordCause, RecordReason } from "../../src/record/vocabulary.ts";
import { UNASSIGNED } from "../../src/record/vocabulary.ts";
import { makeSessionId } from "../../src/units/ids.ts";
import { randomFrom } from "./random.ts";

/** Midnight behind the last of the archive's days. */
export const LARGE_ARCHIVE_END = Date.UTC(2026, 10, 25);
export const LARGE_ARCHIVE_DAYS = 30;
const DAY_MS = 86_400_000;
const BOOT = "7d1f0d4e-5a0a-4a60-9be4-0d6a5a0c2f11";
const WRITE_BYTES = 4 * 1024 * 1024;

/** Teams with their share of the sessions in per cent, and members. */
const TEAMS: readonly (readonly [team: string, share: number, members: readonly string[]])[] = [
  ["alpha", 40, ["ci", "deploy", "ada", "grace"]],
  ["beta", 25, ["ci", "lin", "barbara"]],
  ["gamma", 20, ["ci", "nightly"]],
  ["delta", 14, ["ci", "radia", "margaret", "joan", "frances"]],
  [UNASSIGNED, 1, []],
];

type Random = () => number;

const whole = (next: Random, below: number) => Math.floor(next() * below);
const oneOf = <T>(next: Random, items: readonly T[]): T => items[whole(next, items.length)] as T;
/** Mostly short, sometimes very long, as builds are. */
const longTailed = (next: Random, median: number) => Math.round(median * Math.exp(3 * (next() + next() - 1)));

interface Planned {
  readonly at: number;
  readonly body: RecordBody;
}

const ENDS: readonly (readonly [RecordCause, number, object])[] = [
  ["exit", 9300, { exit_code: 0 }],
  ["exit", 200, { exit_code: 100 }],
  ["client-gone", 180, { signal: "SIGTERM" }],
  ["oom", 120, { signal: "SIGKILL" }],
  ["timeout", 80, { signal: "SIGTERM" }],
  ["signal", 60, { signal: "SIGSEGV" }],
  ["tasks-limit", 30, { exit_code: 1 }],
  ["supervisor-lost", 15, {}],
  ["scope-failed", 10, {}],
  ["killed-by-admin", 4, { signal: "SIGTERM" }],
  ["internal", 1, {}],
];
function drawEnd(draw: number): readonly [cause: RecordCause, how: object] {
  let rest = draw;
  for (const [cause, weight, how] of ENDS) {
    rest -= weight;
    if (rest < 0) return [cause, how];
  }
  throw new RangeError(`the weights are less than ${draw}`);
}

const DENIED: readonly (readonly [RecordReason, string])[] = [
  ["not-allowlisted", "rm -rf /"],
  ["not-allowlisted", "bash -i"],
  ["not-allowlisted", "git-upload-pack /srv/repo.git"],
  ["malformed", "nix-store --serve '"],
  ["store-not-allowed", "nix-daemon --stdio --store local?root=/tmp"],
  ["option-not-allowed", "nix-store --serve --gc"],
  ["too-many-commands", "nix-store --serve"],
];
const REFUSED: readonly (readonly [RecordReason, string])[] = [
  ["team-busy", "the team has 8 sessions already"],
  ["rate", "more than 120 sessions a minute"],
  ["host-busy", "the host has too little memory"],
  ["terminal", "a terminal was asked for"],
];

/** What a session says, with the times at which it does. */
function plan(next: Random, began: number, member: string | undefined, team: string): Planned[] {
  const said: Planned[] = [];
  let at = began;
  const say = (body: RecordBody) => void said.push({ at, body });
  const loop = next() < 0.04;
  const v6 = next() < 0.1;
  const host = whole(next, 60);
  say({
    event: "session.start",
    ...(member !== undefined && { member }),
    user: `nix-${team}`,
    uid: 900 + team.length,
    client: {
      ip: v6 ? `2001:db8:${host.toString(16)}::5` : `10.${host % 4}.${host}.5`,
      port: 1024 + whole(next, 60_000),
    },
    server: { ip: "10.0.0.1", port: 22 },
    key: {
      type: "ssh-ed25519",
      fingerprint: `SHA256:${Buffer.from(`${team} ${member}`.padEnd(32, "k")).toString("base64").slice(0, 43)}`,
    },
    mode: loop ? "loop" : "command",
    policy: { path: `/etc/nixgate/policies/${team}.toml`, sha256: "ab".repeat(32) },
    nixgate: "0.1.0",
    pid: 1000 + whole(next, 4_000_000),
    isolation: "scope-user",
  });
  let [commands, denied, exit] = [0, 0, 0];
  let cause: RecordCause = "exit";
  if (team === UNASSIGNED || next() < 0.01) {
    const [reason, message] =
      team === UNASSIGNED ? (["unknown-team", "there is no such team"] as const) : oneOf(next, REFUSED);
    at += 1;
    say({ event: "session.refuse", reason, message });
    exit = 75;
  } else {
    for (let n = 1, last = loop ? 2 + whole(next, 5) : 1; n <= last && cause === "exit"; n += 1) {
      at += 20 + whole(next, 40);
      if (next() < 0.03) {
        const [reason, words] = oneOf(next, DENIED);
        say({ event: "command.deny", n, ...requestText(Buffer.from(words)), reason, rule: null });
        [denied, exit] = [denied + 1, 77];
        break;
      }
      const daemon = next() < 0.4;
      const request = daemon ? "nix-daemon --stdio" : next() < 0.5 ? "nix-store --serve --write" : "nix-store --serve";
      const limits = { TasksMax: 256, MemoryMax: 2_147_483_648, CPUQuotaPerSecUSec: 2_000_000 };
      say({
        event: "command.start",
        n,
        request,
        rule: daemon ? "allow[1]" : "allow[0]",
        argv: `/usr/bin/${request}`.split(" "),
        unit: `nixgate-${team}-${began.toString(16)}-${n}.scope`,
        invocation: whole(next, 2 ** 32)
          .toString(16)
          .padStart(32, "0"),
        pid: 1000 + whole(next, 4_000_000),
        limits: { asked: limits, applied: limits },
      });
      commands += 1;
      const [ended, how] = drawEnd(whole(next, 10_000));
      const wall_ms = longTailed(next, 4000);
      at += wall_ms;
      const usage = {
        cpu_ms: Math.round(wall_ms * next() * 1.6),
        cpu_throttled_ms: next() < 0.1 ? Math.round(wall_ms * next()) : 0,
        memory_peak_bytes: ended === "oom" ? limits.MemoryMax : 4096 * Math.min(524_288, longTailed(next, 20_000)),
        tasks_peak: ended === "tasks-limit" ? 256 : 1 + whole(next, 40),
        oom_kills: ended === "oom" ? 1 : 0,
        tasks_refused: ended === "tasks-limit" ? 1 + whole(next, 9) : 0,
      };
      const { exit_code, signal } = how as { exit_code?: number; signal?: string };
      const figures = ended === "supervisor-lost" || ended === "scope-failed" ? {} : usage;
      say({ event: "command.end", n, cause: ended, ...how, wall_ms, usage: figures, leftovers: next() < 0.02 ? 2 : 0 });
      exit = exit_code ?? (signal === "SIGKILL" ? 137 : signal === "SIGSEGV" ? 139 : signal === undefined ? 69 : 143);
      cause = ended;
    }
  }
  at += 2;
  say({ event: "session.end", exit, commands, denied, wall_ms: at - began, cause });
  return said;
}

/** One team's file of one day. Its sessions overlap, and each record stands where its time puts it. */
function writeDay(
  directory: string,
  team: string,
  members: readonly string[],
  day: number,
  sessions: number,
  seed: number,
) {
  const next = randomFrom(seed);
  const records: { at: number; session: number; body: RecordBody }[] = [];
  const chains = Array.from({ length: sessions }, (_, session) => {
    const began = day + whole(next, DAY_MS);
    const bytes = Buffer.alloc(10);
    bytes.writeUInt32BE(whole(next, 2 ** 32), 2);
    bytes.writeUInt32BE(whole(next, 2 ** 32), 6);
    for (const { at, body } of plan(next, began, members.length === 0 ? undefined : oneOf(next, members), team))
      records.push({ at, session, body });
    return openChain({ session: makeSessionId(began, bytes), team, host: "builder-1", boot: BOOT });
  });
  records.sort((a, b) => a.at - b.at || a.session - b.session);
  mkdirSync(join(directory, team), { recursive: true });
  const path = join(directory, team, `${new Date(day).toISOString().slice(0, 10)}.jsonl`);
  let text = "";
  for (const { at, session, body } of records) {
    const { chain, line } = append(chains[session] as (typeof chains)[number], at, body);
    chains[session] = chain;
    text += line;
    if (text.length > WRITE_BYTES) {
      appendFileSync(path, text);
      text = "";
    }
  }
  appendFileSync(path, text);
}

/**
 * An archive of about `sessions` sessions with correct chains: the same bytes for the same number, on any machine.
 * @param days numbers of the days to write, 0 for the oldest; all of them by default
 */
export function writeLargeArchive(directory: string, sessions: number, days?: readonly number[]): void {
  for (const day of days ?? Array.from({ length: LARGE_ARCHIVE_DAYS }, (_, index) => index)) {
    const midnight = LARGE_ARCHIVE_END - (LARGE_ARCHIVE_DAYS - day) * DAY_MS;
    const upTo = (days: number) => Math.floor((sessions * days) / LARGE_ARCHIVE_DAYS);
    let left = upTo(day + 1) - upTo(day);
    for (const [index, [team, share, members]] of TEAMS.entries()) {
      const isLast = index === TEAMS.length - 1;
      const count = isLast ? left : Math.floor(((sessions / LARGE_ARCHIVE_DAYS) * share) / 100);
      left -= count;
      if (count > 0) writeDay(directory, team, members, midnight, count, day * TEAMS.length + index + 1);
    }
  }
}
