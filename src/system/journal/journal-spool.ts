import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { removeIfThere } from "../kernel/kernel-files.ts";
import { byProcess, type Deliver, LOGGER, SOCKET, WORDS } from "./journal.ts";

/**
 * Sends each entry in journald's native protocol, as one datagram without a separate process. logger(1) sends the
 * entries that the socket does not accept. It sends a large one as a file.
 */
const SENDER = `use Socket; socket(my $socket, AF_UNIX, SOCK_DGRAM, 0); my $to = pack_sockaddr_un(shift); $| = 1;
while (my $name = <STDIN>) {
  chomp $name; my ($entry, $status) = ("", 0);
  if (open(my $file, "<", $name)) { local $/; $entry = <$file> }
  unless (defined send($socket, $entry, 0, $to)) {
    $status = 1; if (open(my $logger, "|-", @ARGV)) { print {$logger} $entry; close $logger; $status = $? ? 1 : 0 }
  }
  print "$status $name\\n";
}`;
/**
 * Reads names of entries, one a line, and writes each back with a status. Debian has Perl, but nothing else in nixgate
 * needs it: without Perl each entry costs a logger(1) process. Arguments: perl, the program above, journald's socket,
 * logger's arguments.
 */
const CARRIER = `perl=$1 program=$2 socket=$3; shift 3
command -v "$perl" >&2 && exec "$perl" -e "$program" "$socket" "$@"
while IFS= read -r name; do "$@" <"$name" >&2; echo "$? $name"; done`;
/** The names sort in the order of their entries. */
const NAME = /^\d{16}$/;
/** The maximum number of entries kept while journald is stopped: /run is in memory. */
const MOST_WAITING = 10_000;
/** Entries of this many milliseconds go to the carrier together: waking it costs more than an entry. */
const TOGETHER_MS = 50;
/** The pause before a new carrier replaces an ended one, in milliseconds. */
const AGAIN_MS = 1000;
/**
 * The pause before the retry of an entry that journald did not take, in milliseconds. journald may be stopped or
 * restarting.
 */
const RETRY_MS = 5000;

type Carrier = ChildProcessByStdio<Writable, Readable, null>;

/**
 * Delivers entries for a long-lived process. Each entry stays in a folder until it was delivered, so that none is lost
 * when the process is killed or journald is stopped. The next process that opens the folder sends the remaining
 * entries; an entry may then arrive twice. Where the folder is full, because /run is, an entry gets a logger(1) process
 * of its own. One process carries all entries: a fork of a large Node.js process takes longer than a session.
 * @param folder below /run, for one process at a time; made where it is missing, for its owner alone
 */
export function bySpool(
  folder: string,
  { socket = SOCKET, logger = LOGGER, perl = "perl", retryMs = RETRY_MS } = {},
): Deliver {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const waiting = new Map<string, (arrived: boolean) => void>();
  let carrier: Carrier | undefined;
  let resting = false;

  const direct = byProcess(logger);
  let refused: string[] = [];

  const done = (name: string) => {
    removeIfThere(`${folder}/${name}`);
    waiting.get(name)?.(true);
    waiting.delete(name);
  };
  const keep = (name: string) => {
    refused.push(name);
    if (refused.length > 1) return;
    setTimeout(() => {
      const names = refused;
      refused = [];
      carry(names);
    }, retryMs).unref();
  };
  const start = () => {
    const own: Carrier = spawn("/bin/sh", ["-c", CARRIER, "sh", perl, SENDER, socket, logger, ...WORDS], {
      cwd: folder,
      env: {},
      stdio: ["pipe", "pipe", "ignore"],
    });
    let rest = "";
    own.stdout.setEncoding("latin1").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const [status, name = ""] = line.split(" ");
        if (status === "0") done(name);
        else if (waiting.has(name)) keep(name);
      }
    });
    own.stdin.on("error", () => undefined); // its end reports the error
    own
      .once("error", () => undefined)
      .once("close", () => {
        carrier = undefined;
        resting = true;
        setTimeout(() => {
          resting = false;
          if (waiting.size > 0) carry([...waiting.keys()]);
        }, AGAIN_MS).unref();
      });
    return own;
  };
  const carry = (names: readonly string[]) => {
    if (resting) return; // the retry takes all entries
    carrier ??= start();
    carrier.stdin.write(names.map((name) => `${name}\n`).join(""));
  };
  let next: string[] = [];
  const carrySoon = (name: string) => {
    next.push(name);
    if (next.length > 1) return;
    setTimeout(() => {
      const names = next;
      next = [];
      carry(names);
    }, TOGETHER_MS);
  };

  const left = readdirSync(folder).sort();
  for (const name of left.filter((name) => !NAME.test(name))) removeIfThere(`${folder}/${name}`);
  const before = left.filter((name) => NAME.test(name));
  let last = Number(before.at(-1) ?? 0);
  for (const name of before) waiting.set(name, () => undefined);
  if (before.length > 0) carry(before);

  return async (entry) => {
    if (waiting.size >= MOST_WAITING) return false;
    last += 1;
    const name = String(last).padStart(16, "0");
    try {
      writeFileSync(`${folder}/${name}.new`, entry, { mode: 0o600 });
      renameSync(`${folder}/${name}.new`, `${folder}/${name}`); // the file is complete, whenever the process is killed
    } catch {
      removeIfThere(`${folder}/${name}.new`);
      return direct(entry);
    }
    return new Promise((resolve) => {
      waiting.set(name, resolve);
      carrySoon(name);
    });
  };
}
