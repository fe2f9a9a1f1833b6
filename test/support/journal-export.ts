import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { journalEntry } from "../../src/record/journal-entry.ts";
import type { SessionRecord } from "../../src/record/schema.ts";

/** Where Debian has systemd's own programs: below /lib up to bookworm. */
export const systemdProgram = (name: string) =>
  [`/usr/lib/systemd/${name}`, `/lib/systemd/${name}`].find((path) => existsSync(path));

const REMOTE = systemdProgram("systemd-journal-remote");

/** Why journals cannot be made here; undefined where they can. */
export const noJournalRemote = REMOTE === undefined ? "needs systemd-journal-remote" : undefined;

const micros = ({ time }: SessionRecord) => BigInt(Date.parse(time)) * 1000n;

/**
 * Records' copies as a host's journal would send them: the Journal Export Format, with the fields that journald itself
 * puts to them.
 * @param uid of the account that sent them
 */
export function exported(lines: readonly string[], uid = 0): string {
  let received = 0n; // in the order in which they are given
  return lines
    .map((line) => {
      const record: SessionRecord = JSON.parse(line);
      received = received + 1n > micros(record) ? received + 1n : micros(record);
      const own = {
        __REALTIME_TIMESTAMP: received,
        __MONOTONIC_TIMESTAMP: received % 1_000_000_000_000n,
        _BOOT_ID: record.boot.replaceAll("-", ""),
        _UID: uid,
        _HOSTNAME: record.host,
        _TRANSPORT: "journal",
      };
      const fields = Object.entries(own).map(([name, value]) => `${name}=${value}\n`);
      return `${fields.join("")}${journalEntry(record, line)}\n`;
    })
    .join("");
}

/** Lets the real systemd-journal-remote write a journal file out of exports. */
export function importJournal(path: string, text: string): void {
  const words = [`--output=${path}`, "--split-mode=none", "-"];
  const { status, stderr } = spawnSync(REMOTE as string, words, { input: text, encoding: "utf8" });
  if (status !== 0) throw new Error(`systemd-journal-remote: ${stderr}`);
}
