import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { z } from "zod/mini";
import { closing, unendedIn } from "../../src/archive/lost/unended.ts";
import { openSessions } from "../../src/archive/sessions/open-sessions.ts";
import { summariseFile } from "../../src/archive/sessions/summarise.ts";
import { journalCopy } from "../../src/archive/verify/journal-copy.ts";
import { journalSessions } from "../../src/archive/verify/journal-sessions.ts";
import { verifyFile } from "../../src/archive/verify/verify.ts";
import { decide } from "../../src/decision/decide.ts";
import { readHostConfig } from "../../src/policy/read-host-config.ts";
import { readPolicy } from "../../src/policy/read-policy.ts";
import { decodeLine } from "../../src/record/decode.ts";
import { sentence } from "../../src/record/sentence.ts";
import { parseRequest } from "../../src/request/parse-request.ts";
import { connectionOf, requestOf } from "../../src/session/requests/ssh-environment.ts";
import { askIn, killIn, servingIn } from "../../src/supervisor/lines.ts";
import { jobsOf } from "../../src/supervisor/systemd/system-manager.ts";
import { fieldsBehindName, startTicksIn } from "../../src/system/kernel/process-group.ts";
import { commandOf } from "../../src/system/kernel/process-kind.ts";
import { readUserAuth } from "../../src/system/session/user-auth.ts";
import { escapeText } from "../../src/units/text.ts";
import { archiveOf } from "../support/archive-in-memory.ts";
import { anyBytes, anyText, dayText, mangled, recordLine } from "./texts.ts";

/** One parser of root's, with what an account can give it and what must hold of the answer. */
export interface Parser {
  readonly name: string;
  /** Its part of all cases. */
  readonly share: number;
  readonly property: fc.IAsyncPropertyWithHooks<never> | fc.IAsyncProperty<unknown>;
}

const parser = <T>(
  name: string,
  share: number,
  given: fc.Arbitrary<T>,
  check: (value: T) => void | Promise<void>,
): Parser => ({
  name,
  share,
  property: fc.asyncProperty(given, async (value) => await check(value)) as fc.IAsyncProperty<unknown>,
});

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}
const isSafe = (text: string) => must(escapeText(text) === text, "raw text reaches the reader");

const POLICY = `schema = 1
team = "alpha"
[[allow]]
endpoint = "store-serve-write"
[[allow]]
request = ["nix-store", "-r"]
run = ["/usr/bin/nix-store", "-r"]
[limits]
MemoryMax = "2G"
[session]
max_concurrent = 8
`;
const HOST = `schema = 1
[log]
directory = "/var/log/nixgate"
[admission]
min_free_log = "5%"
[programs]
nix-store = "/usr/bin/nix-store"
`;
const POLICY_JSON = JSON.stringify({
  schema: 1,
  team: "alpha",
  allow: [{ endpoint: "store-serve-write" }],
  session: { max_concurrent: 8 },
});

/** @param folder of the run's own, for those parsers that read files */
export async function parsers(folder: string): Promise<readonly Parser[]> {
  const policy = await readPolicy(POLICY, "/etc/nixgate/policies/alpha.toml");
  const host = await readHostConfig(HOST, "/etc/nixgate/nixgate.toml");
  if (!policy.ok || !host.ok) throw new Error("the sound texts are not sound");
  const process = join(folder, "process");
  mkdirSync(process, { recursive: true });
  const auth = `/tmp/sshauth.nixgate${globalThis.process.pid}`;
  const uid = globalThis.process.geteuid?.() ?? 0;
  const words = fc.constantFrom(
    "nix-store",
    "--serve",
    "--write",
    "-r",
    "exec",
    "'",
    '"',
    "\\",
    "$(x)",
    "--store",
    "/nix/store/",
  );
  const requests = fc.oneof(
    anyBytes,
    fc.array(fc.oneof(words, anyText), { maxLength: 6 }).map((some) => Buffer.from(some.join(" "))),
  );

  return [
    parser(
      "lines of the FIFOs",
      15,
      mangled(fc.constantFrom("4711 1 ", "4711 2 137", "kill 4711 alpha", "serving 0123456789abcdef")),
      (line) => {
        const ask = askIn(line);
        if (ask)
          must(Number.isSafeInteger(ask.pid) && ask.number < 1e6 && (ask.status ?? 0) < 1000, "a line of no shim's");
        const kill = killIn(line);
        must(servingIn(line) === undefined || line.length === 24, "a word of nobody's");
        if (kill) must(Number.isSafeInteger(kill.pid) && kill.team.length <= 32, "a line of nobody's");
      },
    ),
    parser("/proc/PID/stat", 10, mangled(fc.constant(`4711 (nix (a) b) S 1 ${"1 ".repeat(48)}`)), (text) => {
      const ticks = startTicksIn(fieldsBehindName(text));
      must(ticks === undefined || Number.isSafeInteger(ticks), "a start that is no number");
      must(fieldsBehindName(text, 22).length <= 22, "more fields than asked for");
    }),
    parser(
      "/proc/PID/cmdline",
      2,
      fc.array(
        fc.oneof(
          anyText,
          fc.constantFrom("/usr/bin/nixgate-shim", "nixgate.cjs", "session", "supervise", "read-request"),
        ),
        { maxLength: 6 },
      ),
      (some) => {
        writeFileSync(join(process, "cmdline"), some.join("\0"));
        must(["session", "supervise", "shim", "gone"].includes(commandOf(process)), "a process of no kind");
      },
    ),
    parser(
      "variables of sshd's",
      15,
      fc.dictionary(
        fc.constantFrom("SSH_ORIGINAL_COMMAND", "SSH_CONNECTION", "SSH_CLIENT"),
        fc.oneof(
          anyBytes,
          mangled(fc.constant("10.0.0.5 51234 10.0.0.1 22")).map((text) => new Uint8Array(Buffer.from(text))),
        ),
      ),
      (variables) => {
        const environment = new Map(Object.entries(variables));
        must(["command", "loop"].includes(requestOf(environment).mode), "asked for neither");
        for (const end of Object.values(connectionOf(environment)))
          if (end && "ip" in end) {
            isSafe(end.ip);
            must(Number.isSafeInteger(end.port) && end.port < 100_000, "a port that is none");
          }
      },
    ),
    parser(
      "the file of SSH_USER_AUTH",
      2,
      mangled(fc.constant("publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKuB\n")),
      (text) => {
        writeFileSync(auth, text, { mode: 0o600 });
        chmodSync(auth, 0o600);
        const key = readUserAuth(new Map([["SSH_USER_AUTH", Buffer.from(auth)]]), uid);
        if (key) {
          isSafe(key.type);
          must(/^SHA256:[A-Za-z0-9+/]{43}$/.test(key.fingerprint), "a fingerprint that is none");
        }
      },
    ),
    parser(
      "signals of systemd's",
      10,
      fc.record({
        member: fc.constantFrom("JobRemoved", "JobNew"),
        body: fc.oneof(
          fc.anything(),
          fc.tuple(fc.nat(), anyText, fc.oneof(anyText, fc.constant("nixgate-x.scope")), anyText),
        ),
      }),
      ({ member, body }) => {
        try {
          jobsOf().heard({ interface: "org.freedesktop.systemd1.Manager", member, body } as never);
        } catch (error) {
          must(error instanceof z.core.$ZodError, `a body that nothing checked: ${error}`); // the connection tells and drops it
        }
      },
    ),
    parser("lines of records", 15, fc.oneof(recordLine, anyText), (line) => {
      const decoded = decodeLine({ number: 1, bytes: Buffer.from(line), tooLong: false });
      if (decoded.ok) isSafe(sentence(decoded.record));
      else isSafe(decoded.damage.what);
      const open = openSessions();
      open.take(line);
      must(open.all().length <= 1, "two sessions in one line");
    }),
    parser("days of records", 3, dayText, (text) => {
      const [file] = archiveOf({ "alpha/2026-01-05": text }).scan().files;
      const count = { sessions: 0, records: 0, running: 0 };
      const findings = [...verifyFile(file!, () => false, count)];
      must(count.records <= text.split("\n").length, "more records than lines");
      for (const { what } of findings) isSafe(what);
      for (const summary of summariseFile(
        file!,
        () => false,
        () => undefined,
      ))
        must(summary.state !== "running", "nobody runs");
      for (const lost of unendedIn(file!))
        for (const { record, line } of closing(lost, Date.parse("2026-01-06"), new Map())) {
          must(record.team === "alpha", "an end in another team's name");
          const bytes = Buffer.from(line.trimEnd());
          must(decodeLine({ number: 1, bytes, tooLong: false }).ok, "an end that no reader takes");
        }
    }),
    parser(
      "entries of the journal",
      10,
      fc.record({
        record: fc.oneof(recordLine, fc.jsonValue(), fc.array(fc.integer({ min: -1, max: 256 }), { maxLength: 20 })),
        uid: fc.oneof(fc.constant("990"), anyText),
        time: fc.oneof(fc.constant("1767582720000000"), anyText),
      }),
      ({ record, uid, time }) => {
        const text = typeof record === "string" ? record.trimEnd() : record;
        const copy = journalCopy(JSON.stringify({ NIXGATE_RECORD: text, _UID: uid, __REALTIME_TIMESTAMP: time }));
        if (copy === undefined) return;
        must(Number.isInteger(copy.uid) && Number.isFinite(copy.received), "a copy of nobody's");
        const sessions = journalSessions((team, day) => {
          must(/^[a-z_][a-z0-9-]*$/.test(team), "a folder of another name");
          must(/^\+?\d{4,6}-\d\d-\d\d$/.test(day) || day.length === 10, "a file of another name");
          must(!day.includes("/"), "a file elsewhere");
        });
        sessions.take(copy);
        sessions.end();
      },
    ),
    ...[
      ["policies in TOML", POLICY, "toml", readPolicy],
      ["policies in JSON", POLICY_JSON, "json", readPolicy],
      ["the host's configuration", HOST, "toml", readHostConfig],
    ].map(([name, sound, ending, read]) =>
      parser(name as string, 1, mangled(fc.constant(sound as string)), async (text) => {
        const checked = await (read as typeof readPolicy)(text, `/etc/nixgate/policies/alpha.${ending}`);
        must(checked.ok || checked.problems.length > 0, "neither a policy nor a problem");
        for (const { message } of checked.problems) isSafe(message);
      }),
    ),
    parser("requests", 15, requests, (bytes) => {
      const decision = decide(parseRequest(bytes, 4096), policy.value, host.value.programs, "command");
      if (decision.kind === "allow") must(decision.argv[0] === "/usr/bin/nix-store", "another program");
      else if (decision.kind === "deny") isSafe(decision.message);
    }),
  ];
}
