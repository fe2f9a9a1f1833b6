import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { append, openChain } from "../../src/record/chain.ts";
import { journalEntry } from "../../src/record/journal-entry.ts";
import { openJournal } from "../../src/system/journal/journal.ts";
import type { SessionId } from "../../src/units/ids.ts";
import { insteadOfLogger } from "../support/logger.ts";
import { BOOT, bodies } from "../support/records.ts";

const identity = { session: "019ab000-0000-7000-8000-000000000001" as SessionId, team: "alpha", host: "b", boot: BOOT };
const { record, line } = append(openChain(identity), 0, bodies.start);

test("logger gets the entry on stdin, and an environment with nothing of ours", async () => {
  const { folder, logger } = insteadOfLogger(
    "cat >entry; tr '\\0' '\\n' </proc/self/environ >environment; echo \"$@\" >words",
  );
  const journal = openJournal({ socket: folder, logger });
  journal.copy(record, line);
  expect(await journal.flush()).toBe(0);
  expect(readFileSync(join(folder, "entry"), "utf8")).toBe(journalEntry(record, line));
  expect(readFileSync(join(folder, "words"), "utf8")).toBe("--journald --socket-errors=on\n");
  // sh itself adds what it needs.
  const added = readFileSync(join(folder, "environment"), "utf8").trim().split("\n");
  expect(added.filter((word) => word !== "" && !/^(PWD|OLDPWD|SHLVL|_)=/.test(word))).toEqual([]);
});

test("copies that did not arrive are counted", async () => {
  const { folder, logger } = insteadOfLogger("exit 1");
  const journal = openJournal({ socket: folder, logger });
  for (let count = 0; count < 3; count += 1) journal.copy(record, line);
  expect(await journal.flush()).toBe(3);
});

test("a journal that hangs holds the end of a session up for two seconds and no longer", async () => {
  const { folder, logger } = insteadOfLogger("exec sleep 6");
  const journal = openJournal({ socket: folder, logger });
  journal.copy(record, line);
  const before = performance.now();
  expect(await journal.flush()).toBe(1);
  expect(performance.now() - before).toBeGreaterThan(1900);
  expect(performance.now() - before).toBeLessThan(3500);
});

test("without journald nothing is started, and the note says why", async () => {
  const { folder, logger } = insteadOfLogger("touch started");
  const journal = openJournal({ socket: join(folder, "socket"), logger });
  journal.copy(record, line);
  expect(await journal.flush()).toBe(0);
  expect(journal.note).toContain(join(folder, "socket"));
  expect(() => readFileSync(join(folder, "started"))).toThrow("ENOENT");
});

const canListen =
  process.geteuid?.() === 0 &&
  spawnSync("unshare", ["-m", "python3", "-c", ""]).status === 0 &&
  spawnSync("logger", ["--version"]).status === 0;

/** Takes one datagram where journald would, and prints it. */
const LISTENER = `
import os, socket, sys
os.makedirs("/run/systemd/journal")
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind("/run/systemd/journal/socket")
server.settimeout(15)
open("/run/ready", "w").close()
sys.stdout.write(server.recv(1000000).decode())
`;

test.skipIf(!canListen)("the real logger brings every field to journald's socket (needs root, python3, logger)", () => {
  const { folder } = insteadOfLogger("");
  writeFileSync(join(folder, "listener.py"), LISTENER);
  writeFileSync(
    join(folder, "send.ts"),
    `import { openJournal } from "${process.cwd()}/src/system/journal/journal.ts";
     const journal = openJournal();
     journal.copy(${JSON.stringify(record)}, ${JSON.stringify(line)});
     process.exitCode = await journal.flush();`,
  );
  const script = `mount -t tmpfs none /run
    python3 ${folder}/listener.py >${folder}/datagram & listener=$!
    until [ -e /run/ready ]; do sleep 0.05; done
    ${process.execPath} ${folder}/send.ts
    wait $listener`;
  expect(spawnSync("unshare", ["-m", "sh", "-euc", script], { encoding: "utf8" })).toMatchObject({
    status: 0,
    stderr: "",
  });
  const fields = readFileSync(join(folder, "datagram"), "utf8").trimEnd().split("\n");
  expect(fields).toEqual(journalEntry(record, line).trimEnd().split("\n"));
});
