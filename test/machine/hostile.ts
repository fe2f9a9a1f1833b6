import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { RecordOf, SessionRecord } from "../../src/record/schema.ts";
import { waitFor } from "../support/wait-for.ts";
import { supervised } from "./managers.ts";
import { allow, edit, restorePolicies } from "./policies.ts";
import { records, sessionIn } from "./records.ts";
import { type Guest, type Outcome, test as plain } from "./support.ts";

const PROGRAMS = join(import.meta.dirname, "../fixtures/programs");
/** Where the programs lie in the guest. */
const THERE = "/opt/hostile";

/** Team alpha's account may run every hostile program under its own name, with limits that are reached soon. */
export const test = plain.extend<{ builder: Guest }>({
  builder: [
    async ({ guest }, use) => {
      await restorePolicies(guest);
      await guest.asRoot(`rm -rf ${THERE}; mkdir ${THERE}`);
      const names = readdirSync(PROGRAMS).filter((name) => /\.(sh|pl)$/.test(name));
      for (const name of names) await guest.copyIn(join(PROGRAMS, name), `${THERE}/${name}`);
      await guest.asRoot(`chmod 755 ${THERE}/*`);
      await allow(guest, "alpha", {
        ...Object.fromEntries(names.map((name) => [name.split(".")[0], program(name)])),
        "orphan-maker": program("orphan-maker.sh", "100000"),
        hidden: program("sub-cgroup-maker.sh", "hidden"),
        raise: program("limit-raiser.sh", "/opt/hostile/mmap-hog.pl", "120", "20"),
        "raise-all": program("limit-raiser.sh", "/opt/hostile/mmap-hog.pl", "400", "20"),
        "raise-later": program("limit-raiser.sh", "/bin/sh", "-c", "sleep 1.777; exec /opt/hostile/mmap-hog.pl 400 20"),
      });
      await edit(guest, "alpha", 's/^MemoryMax = "256M"/MemoryMax = "64M"/\n/^stop_timeout/s/"2s"/"1s"/');
      await setRunTime(guest, "2s");
      await use(guest);
      await guest.asRoot(`rm -f /dev/shm/nixgate-hog.*`);
      await restorePolicies(guest);
    },
    { scope: "file" },
  ],
});

/** Changes how long a command of alpha's may run. */
export const setRunTime = (guest: Guest, time: string): Promise<void> =>
  edit(guest, "alpha", `s/^RuntimeMaxSec = .*/RuntimeMaxSec = "${time}"/`);

/** The words of a hostile program, for a rule of one's own. */
export const program = (name: string, ...words: string[]): string[] => [`${THERE}/${name}`, ...words];

/** Records of one session, as far as they are written. */
export class Story {
  readonly all: readonly SessionRecord[];
  constructor(all: readonly SessionRecord[]) {
    this.all = all;
  }
  #last<Event extends SessionRecord["event"]>(event: Event): RecordOf<Event> | undefined {
    return this.all.findLast((record): record is RecordOf<Event> => record.event === event);
  }
  get begun() {
    return this.#last("command.start");
  }
  get ended() {
    return this.#last("command.end");
  }
  get over() {
    return this.#last("session.end");
  }
}

/** The session that alpha's last `session.start` belongs to, or the one that the client was told. */
export async function storyOf(guest: Guest, stderr: Buffer | string = "", team = "alpha"): Promise<Story> {
  const all = await records(guest, team);
  const id = sessionIn(stderr) ?? all.findLast(({ event }) => event === "session.start")?.session;
  return new Story(all.filter(({ session }) => session === id));
}

/** Sends a request as the client of alpha and tells what both sides have of it. */
export async function attempt(guest: Guest, request: string): Promise<Outcome & { story: Story }> {
  const outcome = await guest.ssh("nix-alpha", request);
  return { ...outcome, story: await storyOf(guest, outcome.stderr) };
}

/** The line of nixgate's own among what the client got on stderr, without the session's id. */
export const lineOf = (stderr: Buffer | string): string | undefined =>
  /^nixgate: (.*) \(session [0-9a-f-]{36}\)$/m.exec(`${stderr}`)?.[1];

/** Processes of a team's account besides its user manager and sshd's own, and scopes of its commands. */
export async function remains(guest: Guest, team = "alpha"): Promise<string> {
  const { stdout } = await guest.asRoot(
    [
      `ps -u nix-${team} -o pid=,stat=,args= | grep -Ev 'systemd --user|\\(sd-pam\\)|dbus-daemon|sshd(-session)?: '`,
      `find /sys/fs/cgroup -type d -name 'nixgate-${team}-*.scope'`,
    ].join("; "),
  );
  return `${stdout}`.trim();
}

/** Waits until nothing is left of any session of the team, and tells after how many milliseconds that was. */
export async function awaitNothing(guest: Guest, withinMs: number, team = "alpha"): Promise<void> {
  let left = "";
  const nothing = async () => {
    left = await remains(guest, team);
    return left === "";
  };
  await waitFor("nothing to be left", nothing, withinMs).catch(() => expect(left).toBe(""));
}

/** The processes that serve alpha's sessions, or stand for them under a supervisor, for pgrep(1) and pkill(1). */
export const serving = (guest: Guest): string =>
  `-u nix-alpha -f '${supervised(guest) ? "nixgate-shim alpha|read-request" : "nixgate.cjs"}'`;

const signalNixgate =
  (signal: string) =>
  async (guest: Guest): Promise<void> =>
    void (await guest.asRoot(`pkill -${signal} ${serving(guest)}`));

/** What an administrator, the OOM killer or bad luck does to those processes. */
export async function endNixgate(guest: Guest): Promise<void> {
  if (!supervised(guest)) return signalNixgate("TERM")(guest);
  await guest.asRoot(`for pid in $(pgrep ${serving(guest)}); do echo "kill $pid alpha" >/run/nixgate/_control; done`);
}
export const killNixgate = signalNixgate("KILL");
export const pauseNixgate = signalNixgate("STOP");
export const resumeNixgate = signalNixgate("CONT");

/** The account's own systemd: while it is paused, it makes no scope and ends none. */
const signalManager =
  (signal: string) =>
  async (guest: Guest): Promise<void> =>
    void (await guest.asRoot(`pkill -${signal} -u nix-alpha -x systemd`));
export const pauseManager = signalManager("STOP");
export const resumeManager = signalManager("CONT");
