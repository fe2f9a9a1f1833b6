import { closeSync, constants, openSync, readSync } from "node:fs";
import { basename } from "node:path";
import { NAMES_READ, type RawEnvironment } from "../../session/requests/ssh-environment.ts";
import { inside, O_PATH } from "../../system/files/safe-folder.ts";
import { valuesIn } from "../../system/kernel/environment.ts";
import { readKernelFile } from "../../system/kernel/kernel-files.ts";
import { allProcesses, fieldsBehindName, startTicksIn } from "../../system/kernel/process-group.ts";
import { cgroupIn, hasEndedIn, kinIn, wordsIn } from "../../system/kernel/process-texts.ts";
import { type Fd, type Pid, toFd, toPid } from "../../units/ids.ts";
import { readOfAccount } from "./account-reads.ts";

const PROGRAM = "nixgate-shim";

/** A process that asks the supervisor. Its folder in /proc stays open, so a reused pid gives an error. */
export interface ShimProcess {
  readonly pid: Pid;
  /** Its start in ticks since boot; undefined if it has ended already. */
  readonly startedTicks: number | undefined;
  /** Its parent at its first line: sshd's process for this client. */
  readonly parent: Pid;
  parentNow(): Pid;
  /** Its cgroup at its first line, below the mount of cgroup v2. */
  readonly cgroup: string;
  /** sshd's variables in its environment, read now; or the reason why it cannot be read, as text for the log. */
  environment(): Promise<RawEnvironment | string>;
  /** The words of its command line after the program's name, in its first `most` bytes, read now. */
  words(most?: number): Promise<readonly string[]>;
  /**
   * Holds the file of one of its descriptors without opening it (O_PATH of open(2)). The caller closes it.
   * @throws Node's own error if it has no such descriptor
   */
  hold(stream: Fd): Fd;
  /** proc_pid_fdinfo(5) of one of its descriptors, read now; an empty text if it has no such descriptor. */
  fdinfo(stream: Fd): string;
  /** Whether it has not been reaped. */
  isThere(): boolean;
  /** `stopped`: it waits for SIGCONT. */
  state(): "stopped" | "running" | "gone";
  /**
   * Whether it has a child that has not ended. A shim has one while it runs its command, and no process of another parent
   * counts. It has none where the kernel does not tell (CONFIG_PROC_CHILDREN, proc_pid_task(5)).
   */
  hasChild(): boolean;
  /** Sends a signal, if the pid still belongs to this process. */
  signal(name: NodeJS.Signals): void;
  close(): void;
}

/** Whether a cgroup, below the mount, is one of nixgate's scopes or services. */
export const isNixgateCgroup = (cgroup: string): boolean => cgroup.startsWith("/nixgate.slice/");

/** A process that a command started is in a scope of nixgate already, and cannot begin a second session. */
const OUTSIDE = (cgroup: string) => !isNixgateCgroup(cgroup);

/**
 * Checks with the kernel a process that claims to be a shim of a team's account.
 * @param uid the account that may write into the FIFO of the line
 * @param mayBeIn the cgroups in which the shim may be: outside of all sessions, unless it has been served before
 * @returns the reason why it is no shim, as text for the log
 */
export async function shimProcessOf(
  pid: Pid,
  team: string,
  uid: number,
  mayBeIn = OUTSIDE,
): Promise<ShimProcess | string> {
  const held: Fd[] = [];
  const hold = (path: string, flags: number) => {
    const descriptor = toFd(openSync(path, flags));
    held.push(descriptor);
    return descriptor;
  };
  let problem: string;
  try {
    const folderFd = hold(`/proc/${pid}`, O_PATH | constants.O_DIRECTORY);
    const found = await whyNoShim(folderFd, team, uid);
    const cgroup = cgroupIn(textOf(inside(folderFd, "cgroup"))) ?? "";
    const isElsewhere = found === undefined && !mayBeIn(cgroup);
    if (found === undefined && !isElsewhere)
      return opened({ pid, uid, folderFd, cgroup, stat: hold(inside(folderFd, "stat"), constants.O_RDONLY) });
    problem = found ?? "it is part of another session";
  } catch (error) {
    problem = held.length === 0 ? "there is no such process" : whyUnread(error);
  }
  for (const descriptor of held) closeSync(descriptor);
  return problem;
}

interface Held extends Pick<ShimProcess, "pid" | "cgroup"> {
  readonly uid: number;
  /** The descriptors of its folder in /proc and of the file `stat` there. */
  readonly folderFd: Fd;
  readonly stat: Fd;
}

/** @throws Node's own error if the process has ended meanwhile */
function opened({ pid, uid, folderFd, cgroup, stat }: Held): ShimProcess {
  const read = fieldsOf(stat);
  let isOpen = true;
  /** Reads that another thread may begin or end later. Until then the folder's descriptor stays open. */
  let reads = 0;
  const release = () => {
    if (isOpen || reads > 0) return;
    for (const descriptor of [folderFd, stat]) closeSync(descriptor);
  };
  const bytesOf = async (name: string, most: number) => {
    if (!isOpen) throw new Error("it is not looked at any more");
    reads += 1;
    try {
      return await readOfAccount(uid, () => inside(folderFd, name), most);
    } finally {
      reads -= 1;
      release();
    }
  };
  const fields = () => (isOpen ? read() : undefined);
  const state = () => stateIn(fields);
  return {
    pid,
    startedTicks: startTicksIn(fields()),
    parent: parentIn(fields),
    parentNow: () => parentIn(fields),
    cgroup,
    async environment() {
      try {
        const bytes = await bytesOf("environ", MOST_ENVIRONMENT + 1);
        if (bytes.length > MOST_ENVIRONMENT) throw new TooMuch(`its environ has more than ${MOST_ENVIRONMENT} bytes`);
        return valuesIn(bytes, NAMES_READ);
      } catch (error) {
        return whyUnread(error);
      }
    },
    async words(most = PAGE) {
      try {
        return wordsIn(await bytesOf("cmdline", most)).slice(2);
      } catch {
        return []; // it has ended
      }
    },
    hold: (stream) => toFd(openSync(inside(folderFd, `fd/${stream}`), O_PATH)),
    fdinfo: (stream) => readKernelFile(inside(folderFd, `fdinfo/${stream}`)) ?? "",
    isThere: () => fields() !== undefined,
    state,
    hasChild: () => childrenIn(readKernelFile(inside(folderFd, `task/${pid}/children`)) ?? "").some(isRunning),
    // Node has no pidfd_send_signal(2). For a wrong target the pid would have to be freed between this check and the
    // signal, and be reused after all other pids.
    signal: (name) => void (state() !== "gone" && kill(pid, name)),
    close() {
      if (!isOpen) return;
      isOpen = false; // from now on other files can have these descriptor numbers
      release();
    },
  };
}

const whyUnread = (error: unknown) => (error instanceof TooMuch ? error.message : "it is gone");

/** @throws Node's own error if the process has ended meanwhile */
async function whyNoShim(folderFd: Fd, team: string, uid: number): Promise<string | undefined> {
  const kin = kinIn(textOf(inside(folderFd, "status")));
  if (!kin?.uids.every((id) => id === uid)) return "it is not a process of the team's account";
  const [, program = "", forTeam] = wordsIn(await readOfAccount(uid, () => inside(folderFd, "cmdline"), PAGE));
  return basename(program) === PROGRAM && forTeam === team ? undefined : "it is no shim of this team";
}

/** The indexes of fields after the command's name, proc_pid_stat(5). */
const STATE = 0;
const PARENT = 1;
/** The number of these fields up to the start time. */
const MOST_FIELDS = 20;

/** The buffer for /proc/PID/stat, a line of some hundred bytes. */
const block = Buffer.alloc(4096);

type StatFields = () => readonly string[] | undefined;

/**
 * Reads an open file that the kernel generates anew at each read(2) from its beginning. A shim is checked often and
 * seldom changes, so the same bytes are not parsed twice.
 * @returns a function that gives undefined after the process has been reaped
 */
function fieldsOf(stat: Fd): StatFields {
  let seen = new Uint8Array(0);
  let fields: readonly string[] = [];
  return () => {
    try {
      const length = readSync(stat, block, 0, block.length, 0);
      if (block.compare(seen, 0, seen.length, 0, length) === 0) return fields;
      seen = new Uint8Array(block.subarray(0, length)); // a copy, because a slice would keep its whole pool in memory
      fields = fieldsBehindName(block.toString("latin1", 0, length), MOST_FIELDS);
      return fields;
    } catch {
      return undefined;
    }
  };
}

const parentIn = (fields: StatFields) => toPid(Number(fields()?.[PARENT]));

function stateIn(fields: StatFields): ReturnType<ShimProcess["state"]> {
  const state = fields()?.[STATE];
  if (state === undefined || state === "Z" || state === "X") return "gone";
  return state === "T" ? "stopped" : "running";
}

/** The number of bytes read of a command line before its account is known. The kernel gives it a page at a time. */
const PAGE = 4096;
/**
 * A process may declare any part of its memory as its environment (PR_SET_MM of prctl(2)). sshd makes it of one text of
 * at most 128 KiB (MAX_ARG_STRLEN of execve(2)) and some short ones.
 */
const MOST_ENVIRONMENT = 512 * 1024;

class TooMuch extends Error {}

/** @throws Error if the process has ended meanwhile */
function textOf(path: string): string {
  const text = readKernelFile(path);
  if (text === undefined) throw new Error(`${path} cannot be read`);
  return text;
}

/** @param text of /proc/PID/task/TID/children */
const childrenIn = (text: string): readonly Pid[] => text.split(" ").filter(Boolean).map(Number).map(toPid);

const isRunning = (pid: Pid): boolean => {
  const status = readKernelFile(`/proc/${pid}/status`);
  return status !== undefined && !hasEndedIn(status);
};

function kill(pid: Pid, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it ended at this moment
  }
}

/** Continues all shims of an account that wait without being served, so that they ask again. */
export async function wakeShims(team: string, uid: number): Promise<void> {
  for (const pid of allProcesses()) {
    const shim = await shimProcessOf(pid, team, uid, () => true);
    if (typeof shim === "string") continue;
    if (shim.state() === "stopped") shim.signal("SIGCONT");
    shim.close();
  }
}
