import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmdirSync, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import type { Archive } from "../../archive/archive.ts";
import { decodeAdded } from "../../archive/misplaced.ts";
import { openSessions } from "../../archive/sessions/open-sessions.ts";
import type { ApplyStep, Observed, UnitState } from "../../render/apply-plan.ts";
import { madeBy } from "../../render/made-by.ts";
import type { RenderedFile } from "../../render/slices.ts";
import { reopened, SOCKET_ACL } from "../../render/socket-acl.ts";
import { RENDERED } from "../../render/units.ts";
import { PATH } from "../../scope/environment.ts";
import { sliceCgroup, unescapedUnit } from "../../scope/names.ts";
import { NixgateError } from "../../units/error.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { toPid } from "../../units/ids.ts";
import { escapeText } from "../../units/text.ts";
import { accountOf } from "../accounts/accounts.ts";
import { openArchive } from "../archive/archive.ts";
import { growthOf } from "../archive/growth.ts";
import { MOUNT } from "../cgroup/cgroup.ts";
import { readKernelFile } from "../kernel/kernel-files.ts";
import { livenessHere } from "../lost/liveness.ts";
import { replaceFile } from "./write-rendered.ts";

const UNITS = "/etc/systemd/system";
/** The folders of rendered files, besides drop-ins of units. */
const FOLDERS = [UNITS, "/etc/sysctl.d", "/etc/dbus-1/system.d", "/etc/tmpfiles.d"];
const DROP_INS = /^(?:user@\d+\.service|user-\d+\.slice)\.d$/;
const SYSTEMCTL_MS = 90_000;
/** Sessions that began earlier and run no command are not searched: read_timeout has ended them. */
const DAYS = 2;

/** The rendered files of any configuration, and the files at these paths. */
export function filesOnHost(paths: readonly string[]): ReadonlyMap<string, string> {
  const candidates = [...FOLDERS, ...namesIn(UNITS, DROP_INS).map((name) => `${UNITS}/${name}`)].flatMap((folder) =>
    namesIn(folder, /nixgate/).map((name) => `${folder}/${name}`),
  );
  const found = new Map<string, string>();
  for (const path of candidates) {
    const text = textOf(path);
    if (text !== undefined && madeBy(text)) found.set(path, text);
  }
  for (const path of paths) {
    const text = textOf(path);
    if (text !== undefined) found.set(path, text);
  }
  return found;
}

function namesIn(folder: string, pattern: RegExp): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => pattern.test(name))
      .sort();
  } catch {
    return []; // missing
  }
}

/** Only root can write there. */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? undefined : "";
  }
}

export async function observe(files: readonly RenderedFile[], logDirectory: string): Promise<Omit<Observed, "files">> {
  const known = unitStates(files.flatMap(({ path }) => unitsOf(path)));
  const unit = (name: string) => {
    const state = known.get(name) ?? unitStates([name]).get(name) ?? NO_UNIT;
    known.set(name, state);
    return state;
  };
  const uids = files.flatMap(({ path }) => Number(/\/user@(\d+)\.service\.d\//.exec(path)?.[1] ?? Number.NaN));
  return {
    unit,
    rendered: renderedOfSupervisor(),
    busyTeams: new Set(namesIn(`${MOUNT}/nixgate.slice`, /\.slice$/).flatMap(busyTeam)),
    between: existsSync(logDirectory) ? between(rootsOwn(openArchive(logDirectory))) : 0,
    busyAccounts: new Set(uids.filter((uid) => Number.isInteger(uid) && hasSessions(uid))),
    fifo: fifoOf,
    hasAccount: (uid) => accountOf(uid) !== undefined,
  };
}

/** Of `nixgate-TEAM.socket`; the folders above are root's. */
function fifoOf(socket: string) {
  const team = /^nixgate-([^/]+)\.socket$/.exec(socket)?.[1];
  const stat = lstatSync(`/run/nixgate/${team}/requests`, { throwIfNoEntry: false });
  return stat && { uid: stat.uid, gid: stat.gid, mode: stat.mode & 0o7777 };
}

const NO_UNIT: UnitState = { active: false, sub: "dead", enabled: false, needsReload: false };

/** The units that a file defines or is a drop-in for. */
const unitsOf = (path: string): readonly string[] => {
  const [, name] = /^\/etc\/systemd\/system\/([^/]+?)(?:\.d\/[^/]+)?$/.exec(path) ?? [];
  return name === undefined ? [] : [name];
};

/** One call for all units: each call costs PID 1 and this process some milliseconds. */
function unitStates(names: readonly string[]): Map<string, UnitState> {
  if (names.length === 0) return new Map();
  const properties = "--property=ActiveState,SubState,UnitFileState,NeedDaemonReload";
  const { stdout } = spawnSync("systemctl", ["show", properties, "--", ...names], { env: { PATH }, encoding: "utf8" });
  const blocks = (stdout ?? "").trim().split("\n\n");
  return new Map(names.map((name, index) => [name, unitState(blocks[index] ?? "")]));
}

function unitState(block: string): UnitState {
  const value = (property: string) => new RegExp(`^${property}=(.*)$`, "m").exec(block)?.[1] ?? "";
  return {
    active: value("ActiveState") === "active" || value("ActiveState") === "reloading",
    sub: value("SubState"),
    enabled: value("UnitFileState") === "enabled",
    needsReload: value("NeedDaemonReload") === "yes",
  };
}

function renderedOfSupervisor(): string | undefined {
  const { stdout } = spawnSync("systemctl", ["show", "--property=MainPID", "--value", "--", "nixgate.service"], {
    env: { PATH },
    encoding: "utf8",
  });
  const pid = toPid(Number((stdout ?? "").trim()));
  if (!(pid > 0)) return undefined;
  const environ = readKernelFile(`/proc/${pid}/environ`)?.split("\0") ?? [];
  return environ.find((entry) => entry.startsWith(`${RENDERED}=`))?.slice(RENDERED.length + 1);
}

function busyTeam(slice: string): readonly string[] {
  const events = readKernelFile(`${MOUNT}${sliceCgroup(slice)}/cgroup.events`) ?? "";
  const team = /^nixgate-(.+)\.slice$/.exec(unescapedUnit(slice))?.[1];
  return team !== undefined && /^populated 1$/m.test(events) ? [team] : [];
}

/** Whether the account's own systemd has scopes of sessions, at any depth. */
function hasSessions(uid: number): boolean {
  const folder = `${MOUNT}/user.slice/user-${uid}.slice/user@${uid}.service`;
  try {
    return readdirSync(folder, { recursive: true, encoding: "utf8" }).some((name) =>
      /nixgate-[^/]*\.scope$/.test(name),
    );
  } catch {
    return false; // there are none
  }
}

/** The supervisor's sessions that run no command now. */
function between(archive: Archive): number {
  const open = openSessions();
  const since = new Date(Date.now() - DAYS * 86_400_000).toISOString().slice(0, 10);
  for (const line of growthOf(archive).lines(since, () => undefined)) open.take(line);
  const isAlive = livenessHere();
  return open.all().filter(({ team, start, command }) => {
    const decoded = decodeAdded({ team, text: start });
    if (command !== undefined || !decoded.ok || decoded.record.event !== "session.start") return false;
    return decoded.record.isolation === "scope-system" && isAlive(decoded.record);
  }).length;
}

/** The supervisor writes only into root's folders. In a folder of its own an account could forge sessions. */
const rootsOwn = (archive: Archive): Archive => ({
  ...archive,
  scan() {
    const { files, problems } = archive.scan();
    return { files: files.filter(({ owner }) => owner?.() === 0), problems };
  },
});

/** @throws NixgateError E_APPLY or E_RENDER_WRITE */
export function perform(step: ApplyStep): void {
  if (step.kind === "systemctl") systemctl(step.words);
  else if (step.kind === "remove") remove(step.path);
  else {
    mkdirSync(dirname(step.path), { recursive: true, mode: 0o755 });
    const before = textOf(step.path) ?? "";
    replaceFile(step.path, step.text);
    if (step.path === SOCKET_ACL) setSocketAcl(step.text + reopened(before, step.text));
  }
}

/** Sets the list before user managers start: a manager of a former team's account reports over a socket that it is ready. */
function setSocketAcl(lines: string): void {
  spawnSync("systemd-tmpfiles", ["--create", "-"], {
    env: { PATH },
    input: lines,
    stdio: ["pipe", "ignore", "ignore"],
    timeout: SYSTEMCTL_MS,
  });
}

function systemctl(words: readonly string[]): void {
  const { status, stderr } = spawnSync("systemctl", ["--quiet", "--no-ask-password", ...words], {
    env: { PATH },
    encoding: "utf8",
    stdio: ["ignore", "ignore", "pipe"],
    timeout: SYSTEMCTL_MS,
  });
  if (status === 0) return;
  const said = escapeText((stderr ?? "").trim().split("\n")[0] ?? "");
  throw new NixgateError(
    "E_APPLY",
    ExitStatus.unavailable,
    `systemctl ${words.join(" ")}: ${said === "" ? "failed" : said}`,
    { hint: "correct that, then run nixgate apply again: it continues where it stopped" },
  );
}

function remove(path: string): void {
  try {
    const before = textOf(path) ?? "";
    unlinkSync(path);
    if (path === SOCKET_ACL) setSocketAcl(reopened(before, ""));
    if (/\.d$/.test(dirname(path)) && DROP_INS.test(dirname(path).split("/").at(-1) ?? "")) rmdirSync(dirname(path));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTEMPTY") return;
    throw new NixgateError("E_APPLY", ExitStatus.cannotCreate, `${escapeText(path)}: cannot be removed: ${code}`);
  }
}
