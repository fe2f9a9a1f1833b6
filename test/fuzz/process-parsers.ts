import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import fc from "fast-check";
import { connectionOf, NAMES_READ, requestOf } from "../../src/session/requests/ssh-environment.ts";
import { askIn, killIn, servingAskIn } from "../../src/supervisor/lines.ts";
import { isNixgateCgroup } from "../../src/supervisor/shim/shim-process.ts";
import { environmentIn, valuesIn } from "../../src/system/kernel/environment.ts";
import { isOpenFor, openFileIn } from "../../src/system/kernel/open-file.ts";
import { fieldsBehindName, startTicksIn } from "../../src/system/kernel/process-group.ts";
import { commandOf, kindIn } from "../../src/system/kernel/process-kind.ts";
import { cgroupIn, hasEndedIn, kinIn, wordsIn } from "../../src/system/kernel/process-texts.ts";
import { keyIn, readUserAuth } from "../../src/system/session/user-auth.ts";
import { certificateLine } from "./certificates.ts";
import { isSafe, must, type Parser, parser } from "./parser.ts";
import { anyBytes, anyText, mangled } from "./texts.ts";

const isNumber = (value: number) => Number.isInteger(value) && value >= 0;
const areSame = (one: Uint8Array | undefined, other: Uint8Array | undefined) =>
  Buffer.from(one ?? []).equals(Buffer.from(other ?? [])) && (one === undefined) === (other === undefined);

const STATUS = `Name:\tnix-store\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t4711\nPPid:\t4710
Uid:\t990\t990\t990\t990\nGid:\t990\t990\t990\t990\nThreads:\t1\n`;
const CGROUP = "0::/nixgate.slice/nixgate-alpha.slice/nixgate-alpha-x-1.scope\n";
const FDINFO = "pos:\t0\nflags:\t0100000\nmnt_id:\t14\nino:\t4711\n";

/** A name that a process has chosen, as the kernel prints it in /proc/PID/status: without a line feed. */
const nameInStatus = fc
  .oneof(anyText, fc.constantFrom("\rState:\tZ", "\rUid:\t0\t0\t0\t0", "\rPPid:\t1"))
  .map((text) => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n"));
const words = fc.array(
  fc.oneof(
    anyText,
    fc.constantFrom("/usr/bin/nixgate-shim", "nixgate.cjs", "session", "supervise", "read-request", "alpha"),
  ),
  { maxLength: 6 },
);
const entries = fc.array(
  fc.oneof(
    fc
      .constantFrom(...NAMES_READ)
      .chain((name) => anyBytes.map((value) => Buffer.concat([Buffer.from(`${name}=`), value]))),
    anyBytes,
    fc.constantFrom(...NAMES_READ.map((name) => Buffer.from(`X${name}=y`)), Buffer.alloc(0), Buffer.from("SSH_CLIENT")),
  ),
  { maxLength: 8 },
);
const key = mangled(fc.constant("publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKuB\n"));

function isKey(found: ReturnType<typeof keyIn>): void {
  if (found === undefined) return;
  isSafe(found.type ?? "");
  const { id = "", ca = "SHA256:", principals = [], valid_before = "" } = found.certificate ?? {};
  for (const text of [id, ca, valid_before, ...principals]) isSafe(text);
  must(principals.length <= 32 && id.length <= 2560, "more than a record takes");
  must(/^SHA256:[A-Za-z0-9+/]{43}$/.test(found.fingerprint), "a fingerprint that is none");
}

/** What the supervisor reads of an account's processes. @param folder of the run's own */
export function processParsers(folder: string): readonly Parser[] {
  const place = join(folder, "process");
  mkdirSync(place, { recursive: true });
  const auth = `/tmp/sshauth.nixgate${process.pid}`;
  const uid = process.geteuid?.() ?? 0;
  return [
    parser(
      "lines of the FIFOs",
      15,
      mangled(
        fc.constantFrom("4711 1 ", "4711 2 137", "4711 2 143 TERM", "kill 4711 alpha", "serving 0123456789abcdef"),
      ),
      (line) => {
        const ask = askIn(line);
        if (ask)
          must(Number.isSafeInteger(ask.pid) && ask.number < 1e6 && (ask.status ?? 0) < 1000, "a line of no shim's");
        const kill = killIn(line);
        must(servingAskIn(line) === undefined || line.length === 24, "a word of nobody's");
        if (kill) must(Number.isSafeInteger(kill.pid) && kill.team.length <= 32, "a line of nobody's");
        must([ask, kill, servingAskIn(line)].filter(Boolean).length <= 1, "a line that says two things");
      },
    ),
    parser("/proc/PID/stat", 8, mangled(fc.constant(`4711 (nix (a) b) S 1 ${"1 ".repeat(48)}`)), (text) => {
      const ticks = startTicksIn(fieldsBehindName(text));
      must(ticks === undefined || Number.isSafeInteger(ticks), "a start that is no number");
      must(fieldsBehindName(text, 22).length <= 22, "more fields than asked for");
    }),
    parser("the name in /proc/PID/stat", 2, anyText, (name) => {
      const fields = fieldsBehindName(`4711 (${name}) S 1 ${"1 ".repeat(48)}`);
      must(fields[0] === "S" && fields[1] === "1", "a name that is taken for fields");
    }),
    parser("/proc/PID/status", 8, mangled(fc.constant(STATUS)), (text) => {
      const kin = kinIn(text);
      must(
        kin === undefined || (kin.uids.length === 4 && [kin.parent, ...kin.uids].every(isNumber)),
        "a uid that is none",
      );
      must(!hasEndedIn(text) || text.includes("State:\t"), "an end that nothing says");
    }),
    parser("the name in /proc/PID/status", 2, nameInStatus, (name) => {
      const kin = kinIn(STATUS.replace("nix-store", () => name));
      must(kin?.parent === 4710 && kin.uids.every((one) => one === 990), "a name that is taken for a uid");
      must(!hasEndedIn(STATUS.replace("nix-store", () => name)), "a name that is taken for a state");
    }),
    parser("/proc/PID/cgroup", 5, mangled(fc.constant(CGROUP)), (text) => {
      const cgroup = cgroupIn(text);
      must(cgroup === undefined || !cgroup.includes("\n"), "two cgroups in one");
      must(
        cgroup === undefined || !isNixgateCgroup(cgroup) || text.includes("0::/nixgate.slice/"),
        "a slice that nobody named",
      );
    }),
    parser("/proc/PID/fdinfo", 5, mangled(fc.constant(FDINFO)), (text) => {
      const file = openFileIn(text);
      if (file === undefined) return;
      must(isNumber(file.mount) && isNumber(file.inode ?? 0) && isNumber(file.flags), "a file with no numbers");
      must(!(isOpenFor(file, 0) && (file.flags & 0o10000000) !== 0), "a held file that counts as open");
    }),
    parser("/proc/PID/cmdline", 5, words, (some) => {
      const bytes = Buffer.from(some.join("\0"));
      const kind = kindIn(bytes);
      must(["session", "supervise", "shim", "gone"].includes(kind), "a process of no kind");
      must(
        kind !== "shim" ||
          some
            .join("\0")
            .split("\0")
            .some((word) => ["nixgate-shim", "read-request"].includes(basename(word))),
        "a shim of nobody's",
      );
      must(
        wordsIn(bytes).every((word) => !word.includes("\0")),
        "two words in one",
      );
    }),
    parser("/proc/PID/cmdline in a file", 1, words, (some) => {
      writeFileSync(join(place, "cmdline"), some.join("\0"));
      must(
        commandOf(place) === kindIn(Buffer.from(some.join("\0")).subarray(0, 4096)),
        "another process than the text's",
      );
    }),
    parser("/proc/PID/environ", 10, entries, (some) => {
      const block = Buffer.concat(some.flatMap((entry) => [entry, Buffer.from([0])]));
      const [values, all] = [valuesIn(block, NAMES_READ), environmentIn(block)];
      for (const name of NAMES_READ)
        must(areSame(values.get(name), all.get(name)), `another ${name} than getenv(3) finds`);
      must(["command", "loop"].includes(requestOf(values).mode), "asked for neither");
      connectionOf(values);
    }),
    parser(
      "variables of sshd's",
      10,
      fc.dictionary(
        fc.constantFrom("SSH_ORIGINAL_COMMAND", "SSH_CONNECTION", "SSH_CLIENT"),
        fc.oneof(
          anyBytes,
          mangled(fc.constant("10.0.0.5 51234 10.0.0.1 22")).map((text) => new Uint8Array(Buffer.from(text))),
        ),
      ),
      (variables) => {
        for (const end of Object.values(connectionOf(new Map(Object.entries(variables)))))
          if (end && "ip" in end) {
            isSafe(end.ip);
            must(Number.isSafeInteger(end.port) && end.port < 100_000, "a port that is none");
          }
      },
    ),
    parser("the text of SSH_USER_AUTH's file", 5, key, (text) => isKey(keyIn(Buffer.from(text)))),
    parser("certificates in SSH_USER_AUTH's file", 3, certificateLine, (text) => isKey(keyIn(Buffer.from(text)))),
    parser("the file of SSH_USER_AUTH", 1, key, (text) => {
      writeFileSync(auth, text, { mode: 0o600 });
      chmodSync(auth, 0o600);
      isKey(readUserAuth(new Map([["SSH_USER_AUTH", Buffer.from(auth)]]), uid));
    }),
  ];
}
