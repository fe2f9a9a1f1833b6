import { lstatSync, opendirSync } from "node:fs";
import { ipcRemoval } from "../scope/ipc-removal.ts";
import { sliceCgroup } from "../scope/names.ts";
import { accountOf } from "../system/accounts/accounts.ts";
import { killWhole, MOUNT } from "../system/cgroup/cgroup.ts";
import { sleep, within } from "../system/kernel/clock.ts";
import { readFirst } from "../system/kernel/kernel-files.ts";
import type { Pid, SessionId, TeamName } from "../units/ids.ts";
import type { Fifo } from "./fifos.ts";
import { runsBesideLogins } from "./outside.ts";
import type { ServedShim } from "./served-shim.ts";
import type { SystemManager } from "./systemd/system-manager.ts";

/** One row an object, sysvipc(7). Its columns `uid` and `cuid` tell the owner and the creator. */
const TABLES = ["shm", "msg", "sem"].map((name) => `/proc/sysvipc/${name}`);
/** Where objects of shm_overview(7) and mq_overview(7) are files. */
const FOLDERS = ["/dev/shm", "/dev/mqueue"];
/** Other accounts control how long a table or a folder is. Behind these bounds there may be objects of this account's. */
const MOST_BYTES = 65_536;
const MOST_ENTRIES = 1000;
/** The session's own processes have been ended, and may take a moment to be gone. */
const LOOKS = 20;
const BETWEEN_LOOKS_MS = 100;
/** The service may not have a process yet. */
const KILL_AGAIN_MS = 20;

/** A service that removes the objects of one account. */
interface Removal {
  readonly over: Promise<void>;
  end(): void;
}

/**
 * System V IPC objects, POSIX message queues and files in /dev/shm. They outlive the processes of a session, and what
 * they hold counts in the team's slice. They are removed as logind does it for accounts of persons (RemoveIPC= of
 * logind.conf(5), which leaves system accounts out): when the account's last session has ended and nothing of it runs.
 */
export interface IpcObjects {
  /** A session of this team's has ended, which ran commands. Removes the account's objects where it was the last. */
  sessionEnded(fifo: Fifo, session: string): void;
  /**
   * Ends a removal of this account's that is under way: a command that begins keeps what it makes, and does not wait.
   * Settles when none is. The account's next last session removes the rest.
   */
  settled(fifo: Fifo): Promise<void>;
}

/** @param guests the sessions that are served now */
export function ipcObjects(
  manager: Pick<SystemManager, "startService">,
  guests: ReadonlyMap<Pid, ServedShim>,
  warn: (message: string, facts: object) => void,
): IpcObjects {
  const under = new Map<number, Removal>();
  const remove = ({ name: team, uid }: Fifo, session: string): Removal | undefined => {
    const user = accountOf(uid)?.name;
    if (user === undefined) return undefined;
    const service = ipcRemoval(team as TeamName, session as SessionId, uid);
    let isEnded = false;
    const fail = (error: unknown) => {
      if (isEnded) return; // systemd calls a killed service failed
      warn("objects that sessions of an account left could not be removed", { team, error: String(error) });
    };
    return {
      over: manager.startService({ ...service, user }).catch(fail),
      end() {
        isEnded = true;
        killWhole(`${MOUNT}${sliceCgroup(service.slice)}/${service.name}`);
      },
    };
  };
  const hasSession = (uid: number) => [...guests.values()].some((guest) => guest.fifo.uid === uid);
  const removeOnceAlone = async (fifo: Fifo, session: string) => {
    const { uid } = fifo;
    for (let look = 0; look < LOOKS; look += 1) {
      if (under.has(uid) || hasSession(uid) || !mayHaveObjects(uid)) return;
      if (!runsBesideLogins(uid)) {
        const removal = remove(fifo, session);
        if (removal === undefined) return;
        under.set(uid, removal);
        await removal.over;
        under.delete(uid);
        return;
      }
      await sleep(BETWEEN_LOOKS_MS);
    }
  };
  return {
    sessionEnded(fifo, session) {
      removeOnceAlone(fifo, session).catch((error: unknown) =>
        warn("what sessions left in memory could not be looked for", { team: fifo.name, error: String(error) }),
      );
    },
    async settled({ uid }) {
      for (let removal = under.get(uid); removal !== undefined; removal = under.get(uid)) {
        removal.end();
        await within(KILL_AGAIN_MS, removal.over, undefined);
      }
    },
  };
}

/** Whether objects of this account are there, as far as a bounded look can tell: yes where there are too many to know. */
export function mayHaveObjects(uid: number, tables = TABLES, folders = FOLDERS): boolean {
  return tables.some((path) => isInTable(path, uid)) || folders.some((path) => isInFolder(path, uid));
}

function isInTable(path: string, uid: number): boolean {
  try {
    const bytes = readFirst(path, MOST_BYTES);
    if (bytes.length === MOST_BYTES) return true;
    const [head = "", ...rows] = bytes.toString("latin1").trim().split("\n");
    const columns = head.trim().split(/\s+/);
    const owners = ["uid", "cuid"].map((name) => columns.indexOf(name));
    return rows.some((row) => {
      const cells = row.trim().split(/\s+/);
      return owners.some((at) => cells[at] === String(uid));
    });
  } catch {
    return false; // this kernel has none
  }
}

function isInFolder(path: string, uid: number): boolean {
  try {
    const folder = opendirSync(path);
    try {
      for (let count = 0; count < MOST_ENTRIES; count += 1) {
        const entry = folder.readSync();
        if (entry === null) return false;
        if (lstatSync(`${path}/${entry.name}`, { throwIfNoEntry: false })?.uid === uid) return true;
      }
      return true;
    } finally {
      folder.closeSync();
    }
  } catch {
    return false; // not mounted
  }
}
