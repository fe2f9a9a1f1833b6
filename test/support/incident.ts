import { createHash } from "node:crypto";
import { requestText } from "../../src/record/request-text.ts";
import type { RecordBody } from "../../src/record/schema.ts";
import { makeSessionId } from "../../src/units/ids.ts";
import { bodies, sessionLines } from "./records.ts";

/** The Thursday on which somebody asks what happened on Tuesday. */
export const ASKED = Date.parse("2026-11-26T09:00:00Z");

const KEYS: Readonly<Record<string, string>> = {
  "alpha ci": "SHA256:Zk3VqkWxq8bYx5b8oJ2m5nYIu0mCq3YqfVvT1o2m4Yc",
  "alpha deploy": "SHA256:b0t2r9vEhcBf1y6Q3sPzXw7LkU4nDgJmAoTqViRe58s",
  "beta ada": "SHA256:7GmQpWc1zXvN4dKfYtRbLs9uHjEoAi2UxMq6C0nVgTk",
};
interface Told {
  readonly at: string;
  readonly team: string;
  readonly member: string;
  readonly ip: string;
  readonly seconds: number;
  readonly said: readonly RecordBody[];
  readonly end: Partial<RecordBody & { event: "session.end" }>;
}
const began = (request: string, memoryMax: number): RecordBody => ({
  ...bodies.run,
  n: 1,
  request,
  argv: `/usr/bin/${request}`.split(" "),
  rule: request.startsWith("nix-daemon") ? "allow[1]" : "allow[0]",
  limits: { asked: { TasksMax: 256, MemoryMax: "2G" }, applied: { TasksMax: 256, MemoryMax: memoryMax } },
});
const ended = (seconds: number, how: Partial<typeof bodies.ran | object>, usage: object): RecordBody =>
  ({ ...bodies.ran, n: 1, wall_ms: seconds * 1000, ...how, usage, leftovers: 0 }) as RecordBody;
const GiB = 1024 ** 3;
const copied = (seconds: number): readonly RecordBody[] => [
  began("nix-store --serve --write", 2 * GiB),
  ended(seconds, {}, { cpu_ms: seconds * 310, memory_peak_bytes: 61_341_696, tasks_peak: 3, oom_kills: 0 }),
];

const STORY: readonly Told[] = [
  { at: "2026-11-23T18:20:11Z", team: "alpha", member: "ci", ip: "10.0.0.5", seconds: 41, said: copied(41), end: {} },
  {
    at: "2026-11-24T02:41:07Z",
    team: "beta",
    member: "ada",
    ip: "2001:db8::20",
    seconds: 8480,
    said: [
      began("nix-daemon --stdio", 2 * GiB),
      ended(8480, {}, { cpu_ms: 911_300, memory_peak_bytes: 402_653_184, tasks_peak: 9, oom_kills: 0 }),
    ],
    end: {},
  },
  {
    at: "2026-11-24T03:09:30Z",
    team: "alpha",
    member: "ci",
    ip: "10.0.0.5",
    seconds: 171,
    said: [
      began("nix-store --serve --write", 2 * GiB),
      ended(
        171,
        { cause: "oom", exit_code: undefined, signal: "SIGKILL" },
        { cpu_ms: 160_200, cpu_throttled_ms: 0, memory_peak_bytes: 2 * GiB, tasks_peak: 14, oom_kills: 1 },
      ),
    ],
    end: { exit: 137, cause: "oom" },
  },
  {
    at: "2026-11-24T03:11:58Z",
    team: "alpha",
    member: "deploy",
    ip: "10.0.7.31",
    seconds: 2,
    said: [{ ...bodies.deny, ...requestText(Buffer.from("bash -i")) }],
    end: { exit: 77, commands: 0, denied: 1 },
  },
  { at: "2026-11-24T03:15:02Z", team: "alpha", member: "ci", ip: "10.0.0.5", seconds: 38, said: copied(38), end: {} },
  { at: "2026-11-25T11:02:45Z", team: "alpha", member: "ci", ip: "10.0.0.5", seconds: 44, said: copied(44), end: {} },
];

const hash = (text: string) => createHash("sha256").update(text).digest("hex");

/** The archive that docs/incident.md asks: `team/day` → text. */
export function incident(): Record<string, string> {
  const files: Record<string, string> = {};
  for (const [index, { at, team, member, ip, seconds, said, end }] of STORY.entries()) {
    const start: RecordBody = {
      ...bodies.start,
      ...{ member, user: `nix-${team}`, client: { ip, port: 51_000 + index }, mode: "command" },
      key: { type: "ssh-ed25519", fingerprint: KEYS[`${team} ${member}`] ?? "" },
      pid: 4100 + 7 * index,
      policy: { path: `/etc/nixgate/policies/${team}.toml`, sha256: hash(team) },
    };
    const last: RecordBody = { ...bodies.end, commands: 1, denied: 0, wall_ms: seconds * 1000, ...end };
    const session = makeSessionId(Date.parse(at), Buffer.from(hash(at), "hex"));
    const named = said.map((body) =>
      body.event === "command.start"
        ? {
            ...body,
            unit: `nixgate-${team}-${session}-1.scope`,
            invocation: hash(at).slice(0, 32),
            pid: 4103 + 7 * index,
          }
        : body,
    );
    const times = said.length === 1 ? [0, 0.4, seconds] : [0, 0.06, seconds - 0.01, seconds];
    const { lines } = sessionLines(at, [start, ...named, last], { session, team, host: "builder-1" }, times);
    const name = `${team}/${at.slice(0, 10)}`;
    files[name] = (files[name] ?? "") + lines.join("");
  }
  return files;
}
