import { append, type Identity, openChain } from "../../src/record/chain.ts";
import { requestText } from "../../src/record/request-text.ts";
import type { RecordBody } from "../../src/record/schema.ts";
import { makeSessionId } from "../../src/units/ids.ts";

export const BOOT = "7d1f0d4e-5a0a-4a60-9be4-0d6a5a0c2f11";
const DIGEST = "ab".repeat(32);

/** One body of every kind, every field filled in. */
export const bodies = {
  start: {
    event: "session.start",
    member: "ci",
    user: "nix-alpha",
    uid: 990,
    client: { ip: "10.0.0.5", port: 51234 },
    server: { ip: "10.0.0.1", port: 22 },
    key: { type: "ssh-ed25519", fingerprint: "SHA256:47DEQpj8HBSa" },
    mode: "loop",
    policy: { path: "/etc/nixgate/policies/alpha.toml", sha256: DIGEST },
    nixgate: "0.1.0",
    pid: 4711,
    isolation: "scope-user",
  },
  refuse: { event: "session.refuse", reason: "team-busy", message: "team alpha has 8 sessions already" },
  deny: { event: "command.deny", n: 1, ...requestText(Buffer.from("rm -rf /")), reason: "not-allowlisted", rule: null },
  run: {
    event: "command.start",
    n: 2,
    request: "nix-store --serve --write",
    rule: "allow[0]",
    argv: ["/usr/bin/nix-store", "--serve", "--write"],
    unit: "nixgate-alpha-1.scope",
    invocation: "f".repeat(32),
    pid: 4712,
    limits: { asked: { TasksMax: 256 }, applied: { TasksMax: 256, MemoryMax: "infinity" } },
  },
  ran: {
    event: "command.end",
    n: 2,
    cause: "exit",
    exit_code: 0,
    wall_ms: 9800,
    usage: { cpu_ms: 3100, memory_peak_bytes: 851_443_712, tasks_peak: 12, oom_kills: 0 },
    leftovers: 1,
  },
  end: { event: "session.end", exit: 0, commands: 1, denied: 1, wall_ms: 12_300, cause: "exit" },
  close: {
    event: "host.close",
    for_team: "alpha",
    user: "root",
    uid: 0,
    login: { uid: 1000, user: "eve" },
    message: "back at six",
  },
  open: { event: "host.open", for_team: "alpha", user: "root", uid: 0, login: { uid: 1000, user: "eve" } },
  lock: {
    event: "lock.set",
    for_team: "alpha",
    user: "root",
    uid: 0,
    kind: "member",
    value: "alpha/ci",
    reason: "laptop stolen",
    until: "2026-01-05T06:00:00.000Z",
  },
  unlock: { event: "lock.lift", for_team: "alpha", user: "root", uid: 0, kind: "member", value: "alpha/ci" },
} as const satisfies Record<string, RecordBody>;

let made = 0;

/**
 * The lines of one session, each with its LF.
 * @param seconds from the start to each line; a second apart by default
 */
export function sessionLines(
  start: string | number,
  said: readonly RecordBody[] = [bodies.start, bodies.deny, bodies.run, bodies.ran, bodies.end],
  identity: Partial<Identity> = {},
  seconds?: readonly number[],
): { session: string; lines: string[] } {
  const time = new Date(start).getTime();
  made += 1;
  const session = makeSessionId(time, Buffer.from(made.toString(16).padStart(20, "0"), "hex"));
  let chain = openChain({ session, team: "alpha", host: "builder", boot: BOOT, ...identity });
  const lines = said.map((body, index) => {
    const next = append(chain, time + (seconds?.[index] ?? index) * 1000, body);
    chain = next.chain;
    return next.line;
  });
  return { session: identity.session ?? session, lines };
}
