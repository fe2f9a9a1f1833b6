import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openJournal } from "../../src/system/journal/journal.ts";
import { bySpool } from "../../src/system/journal/journal-spool.ts";
import { insteadOfLogger } from "../support/logger.ts";
import { processesWith } from "../support/processes.ts";
import { waitFor } from "../support/wait-for.ts";

/** Writes each entry into a file of its own, in the order in which they come. */
const NUMBERING = 'n=$(ls entry-* 2>/dev/null | wc -l); cat >entry-$n.new; mv entry-$n.new entry-$n; echo "$@" >words';

function spooling(script = NUMBERING, perl = "perl") {
  const { folder, logger } = insteadOfLogger(script);
  const socket = join(folder, "socket"); // nobody listens there
  const spool = join(folder, "spool");
  const arrived = (n: number) => join(folder, `entry-${n}`);
  return {
    ...{ folder, logger, socket, spool },
    open: () =>
      openJournal({ socket: folder, logger, deliver: bySpool(spool, { socket, logger, perl, retryMs: 200 }) }),
    entry: (n: number) => readFileSync(arrived(n), "utf8"),
    come: (n: number) => waitFor(`entry ${n}`, () => existsSync(arrived(n))),
    carriers: () => processesWith(`${logger} --journald`),
  };
}

test.each([
  ["where there is no perl", "no-such-perl"],
  ["what the socket does not take", "perl"],
])("%s: each entry is given to a logger of its own, in their order, and nothing is left", async (_, perl) => {
  const { folder, spool, open, entry } = spooling(NUMBERING, perl);
  const journal = open();
  for (let count = 0; count < 12; count += 1) journal.send(`MESSAGE=it's $(id) \\n ${count}\nPRIORITY=6\n`);
  expect(await journal.flush()).toBe(0);
  for (let count = 0; count < 12; count += 1)
    expect(entry(count)).toBe(`MESSAGE=it's $(id) \\n ${count}\nPRIORITY=6\n`);
  expect(readFileSync(join(folder, "words"), "utf8")).toBe("--journald --socket-errors=on\n");
  expect(readdirSync(spool)).toEqual([]);
});

test("an entry that one process did not send is sent by the next, and half an entry is not", async () => {
  const { spool, open, entry, come } = spooling();
  mkdirSync(spool);
  writeFileSync(join(spool, "0000000000000007"), "MESSAGE=seventh\n");
  writeFileSync(join(spool, "0000000000000012"), "MESSAGE=twelfth\n");
  writeFileSync(join(spool, "0000000000000013.new"), "MESS");
  const journal = open();
  journal.send("MESSAGE=new\n");
  await come(2);
  expect([entry(0), entry(1), entry(2)]).toEqual(["MESSAGE=seventh\n", "MESSAGE=twelfth\n", "MESSAGE=new\n"]);
  expect(await journal.flush()).toBe(0);
  expect(readdirSync(spool)).toEqual([]);
});

test("another carrier continues where a killed carrier stopped", async () => {
  const { open, spool, entry, come, carriers } = spooling(`${NUMBERING}; [ "$n" != 1 ] || exec sleep 5`);
  const journal = open();
  for (let count = 0; count < 4; count += 1) journal.send(`MESSAGE=${count}\n`);
  await come(1);
  for (const pid of carriers()) process.kill(pid, "SIGKILL");
  await come(4);
  // the second was in the midst of it: it comes twice
  expect([0, 1, 2, 3, 4].map(entry)).toEqual([0, 1, 1, 2, 3].map((count) => `MESSAGE=${count}\n`));
  expect(await journal.flush()).toBe(0);
  expect(readdirSync(spool)).toEqual([]);
});

test("an entry that journald does not take does not keep the others, and is sent again until it is taken", async () => {
  const { open, spool, entry, come, folder } = spooling(`[ -e back ] || exit 1; ${NUMBERING}`);
  const journal = open();
  for (let count = 0; count < 2; count += 1) journal.send(`MESSAGE=${count}\n`);
  expect(await journal.flush()).toBe(2);
  expect(readdirSync(spool)).toHaveLength(2);
  writeFileSync(join(folder, "back"), "");
  journal.send("MESSAGE=2\n");
  await come(2);
  expect([0, 1, 2].map(entry).sort()).toEqual(["MESSAGE=0\n", "MESSAGE=1\n", "MESSAGE=2\n"]);
  expect(await journal.flush()).toBe(0);
  expect(readdirSync(spool)).toEqual([]);
});

test("an entry that the spool has no room for goes by a logger of its own", async () => {
  const { open, spool, entry, come } = spooling();
  const journal = open();
  rmSync(spool, { recursive: true });
  journal.send("MESSAGE=0\n");
  await come(0);
  expect(entry(0)).toBe("MESSAGE=0\n");
  expect(await journal.flush()).toBe(0);
});

/** Takes datagrams where journald would, and prints each with its length. */
const LISTENER = `use Socket; socket(my $s, AF_UNIX, SOCK_DGRAM, 0); bind($s, pack_sockaddr_un(shift)) or die; $| = 1;
print "ready\\n"; while (defined recv($s, my $entry, 1 << 20, 0)) { print length($entry), "\\n", $entry }`;

test("the socket gets the entries as they are, without a process for each; one that is too large goes by a logger", async () => {
  const { folder, spool, socket, open, entry, come } = spooling();
  using listener = spawn("perl", ["-e", LISTENER, socket], { stdio: ["ignore", "pipe", "inherit"] });
  let heard = "";
  listener.stdout.setEncoding("utf8").on("data", (text: string) => {
    heard += text;
  });
  await waitFor("the listener", () => heard === "ready\n");
  const journal = open();
  const large = `MESSAGE=${"x".repeat(900_000)}\n`;
  for (const text of ["MESSAGE=first\n", large, "MESSAGE=ünï $(id)\nPRIORITY=6\n"]) journal.send(text);
  expect(await journal.flush()).toBe(0);
  await waitFor("the last", () => heard.endsWith("PRIORITY=6\n"));
  expect(heard).toBe("ready\n14\nMESSAGE=first\n31\nMESSAGE=ünï $(id)\nPRIORITY=6\n");
  await come(0);
  expect(entry(0)).toBe(large);
  expect(existsSync(join(folder, "entry-1"))).toBe(false);
  expect(readdirSync(spool)).toEqual([]);
});
