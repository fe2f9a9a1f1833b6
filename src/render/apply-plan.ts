import { plural } from "../record/wording.ts";
import { unescapedUnit } from "../scope/names.ts";
import { madeBy, named } from "./made-by.ts";
import type { RenderedFile } from "./slices.ts";
import { RENDERED } from "./units.ts";

/** The state of a unit, from `systemctl show`. */
export interface UnitState {
  readonly active: boolean;
  /** `running` for a service with a process; `exited` for a service that ended and stays active. */
  readonly sub: string;
  /** Whether systemd starts the unit at the next boot. */
  readonly enabled: boolean;
  /** Whether the unit's files have changed since systemd read them. */
  readonly needsReload: boolean;
}

/** The host's present state. */
export interface Observed {
  /** The texts of the rendered files that exist, and of all other files that a nixgate made. */
  readonly files: ReadonlyMap<string, string>;
  unit(name: string): UnitState;
  /**
   * The value of NIXGATE_RENDERED in the running supervisor; undefined where no supervisor runs, or it has no such
   * variable.
   */
  readonly rendered: string | undefined;
  /** Teams with a command in a scope of the system manager. */
  readonly busyTeams: ReadonlySet<string>;
  /** Sessions of the supervisor that run no command. A restart would end them with 75. */
  readonly between: number;
  /** The uids of accounts whose user manager holds commands of sessions. */
  readonly busyAccounts: ReadonlySet<number>;
  /** Owner, group and mode of the FIFO of a socket unit; undefined where there is none. */
  fifo(socket: string): { readonly uid: number; readonly gid: number; readonly mode: number } | undefined;
  /** Whether an account with that uid exists. */
  hasAccount(uid: number): boolean;
}

export type ApplyStep =
  | { readonly kind: "write"; readonly path: string; readonly text: string; readonly why: string }
  | { readonly kind: "remove"; readonly path: string; readonly why: string }
  | { readonly kind: "systemctl"; readonly words: readonly string[]; readonly why: string };

export interface ApplyPlan {
  /** The steps in the order of execution. */
  readonly steps: readonly ApplyStep[];
  /** The postponed steps, which would end a running session. */
  readonly waits: readonly string[];
  /**
   * Existing files at these paths that nixgate did not make from this configuration. With one of them there are no
   * steps.
   */
  readonly foreign: readonly string[];
}

const UNITS = "/etc/systemd/system/";
const SERVICE = "nixgate.service";
const TEAM_SOCKET = /\/nixgate-(.+)\.socket$/;
const TEAM_SLICE = /\/nixgate-(.+)\.slice$/;
const NO_MANAGER = /\/user@(\d+)\.service\.d\//;

/**
 * Plans the steps that bring the host to the configured state. After these steps, a second plan has no steps.
 * @param wanted the files with their first lines
 */
export function planApply(wanted: readonly RenderedFile[], configDirectory: string, host: Observed): ApplyPlan {
  const of = named(configDirectory);
  const isOurs = (text: string) => madeBy(text)?.configDirectory === of;
  const changes = wanted.filter(({ path, text }) => host.files.get(path) !== text);
  const foreign = changes.flatMap(({ path }) => {
    const text = host.files.get(path);
    return text === undefined || isOurs(text) ? [] : [path];
  });
  const paths = new Set(wanted.map(({ path }) => path));
  const leftOver = [...host.files].filter(([path, text]) => !paths.has(path) && isOurs(text)).map(([path]) => path);
  const kept = leftOver.filter((path) => host.busyTeams.has(teamOf(path) ?? ""));
  const isServed = paths.has(UNITS + SERVICE);
  if (!isServed && host.busyTeams.size > 0) kept.push(...leftOver.filter((path) => !kept.includes(path)));
  const gone = leftOver.filter((path) => !kept.includes(path));
  const waits = [...new Set(kept.map((path) => teamOf(path) ?? "nixgate"))].map(
    (name) => `what is left over of ${name} stays: its sessions run`,
  );

  const touched = [...changes.map(({ path }) => path), ...gone];
  const steps: ApplyStep[] = [
    ...gone.flatMap((path) => stopped(path, host)),
    ...changes.map(
      ({ path, text }): ApplyStep => ({ kind: "write", path, text, why: whyWritten(host.files.get(path)) }),
    ),
    ...gone.map(
      (path): ApplyStep => ({ kind: "remove", path, why: "left over: the configuration does not ask for it" }),
    ),
    ...reloads(touched, [...paths], host),
  ];
  for (const [uid, isWanted] of accountsIn([...paths], gone)) {
    const words = managerStep(uid, isWanted, host);
    if (words === undefined) continue;
    if (isWanted && host.busyAccounts.has(uid))
      waits.push(
        `the systemd of uid ${uid} stays: sessions run in it (systemctl restart user@${uid}.service ends them)`,
      );
    else
      steps.push({
        kind: "systemctl",
        words,
        why: isWanted ? "the account gets no systemd" : "it may have a systemd again",
      });
  }
  if (isServed) serve(wanted, host, steps, waits);
  return { steps: foreign.length > 0 ? [] : steps, waits, foreign };
}

const teamOf = (path: string): string | undefined =>
  TEAM_SOCKET.exec(path)?.[1] ?? TEAM_SLICE.exec(unescapedUnit(path))?.[1];

function whyWritten(before: string | undefined): string {
  if (before === undefined) return "is missing";
  return madeBy(before)?.isUntouched ? "is out of date" : "was changed by hand";
}

const unitOf = (path: string): string | undefined =>
  path.startsWith(UNITS) && !path.slice(UNITS.length).includes("/") ? path.slice(UNITS.length) : undefined;

/** Stops a removed unit while systemd still knows it. A slice ends when it is empty. */
function stopped(path: string, host: Observed): readonly ApplyStep[] {
  const name = unitOf(path);
  if (name === undefined || name.endsWith(".slice")) return [];
  const { active, enabled } = host.unit(name);
  if (!active && !enabled) return [];
  return [{ kind: "systemctl", words: ["disable", "--now", name], why: "left over" }];
}

/** Makes every reader of the changed files read them again. */
function* reloads(touched: readonly string[], wanted: readonly string[], host: Observed): Generator<ApplyStep> {
  const isStale = wanted.some((path) => {
    const name = unitOf(path);
    return name !== undefined && host.unit(name).needsReload;
  });
  if (isStale || touched.some((path) => path.startsWith(UNITS)))
    yield { kind: "systemctl", words: ["daemon-reload"], why: "units have changed" };
  if (touched.some((path) => path.startsWith("/etc/sysctl.d/")))
    yield {
      kind: "systemctl",
      words: ["restart", "systemd-sysctl.service"],
      why: "settings of the kernel have changed",
    };
  if (touched.some((path) => path.startsWith("/etc/dbus-1/")))
    yield { kind: "systemctl", words: ["reload", "dbus.service"], why: "the bus's policy has changed" };
}

/** The accounts with a drop-in for user@UID.service, wanted or removed. */
const accountsIn = (wanted: readonly string[], gone: readonly string[]): ReadonlyMap<number, boolean> =>
  new Map(
    [...gone.map((path) => [path, false] as const), ...wanted.map((path) => [path, true] as const)].flatMap(
      ([path, isWanted]) => {
        const uid = NO_MANAGER.exec(path)?.[1];
        return uid === undefined ? [] : [[Number(uid), isWanted] as const];
      },
    ),
  );

function managerStep(uid: number, isWanted: boolean, host: Observed): readonly string[] | undefined {
  const name = `user@${uid}.service`;
  const { active, sub } = host.unit(name);
  if (!active) return undefined;
  if (isWanted) return sub === "running" ? ["restart", name] : undefined;
  return host.hasAccount(uid) ? ["restart", name] : ["stop", name];
}

function serve(wanted: readonly RenderedFile[], host: Observed, steps: ApplyStep[], waits: string[]): void {
  const service = host.unit(SERVICE);
  if (!service.enabled)
    steps.push({ kind: "systemctl", words: ["enable", SERVICE], why: "it starts at boot, and its sockets with it" });
  const text = wanted.find(({ path }) => path === UNITS + SERVICE)?.text ?? "";
  const asked = new RegExp(`^Environment=${RENDERED}=(.*)$`, "m").exec(text)?.[1];
  const others = wanted.flatMap(({ path }) => unitOf(path) ?? []).filter((name) => /\.(?:socket|timer)$/.test(name));
  const missing = others.filter((name) => !host.unit(name).active);
  const stale = wanted.flatMap((file) => (isStale(file, host) ? (unitOf(file.path) ?? []) : []));
  if (service.active && host.rendered === asked && missing.length === 0 && stale.length === 0) return;
  const why = !service.active
    ? "it does not run"
    : host.rendered === asked && stale.length > 0
      ? `it makes the FIFO of ${stale.join(", ")} anew; running sessions continue`
      : host.rendered === asked
        ? `it starts ${missing.join(", ")}; running sessions continue`
        : "it was started from another text; running sessions continue";
  if (service.active && host.between > 0)
    waits.push(
      `${SERVICE} is not restarted (${why}): ${plural(host.between, "session")} between two commands would end`,
    );
  else {
    // A socket cannot start while the service runs: the service's start brings it back.
    for (const name of stale)
      steps.push({ kind: "systemctl", words: ["stop", name], why: "its FIFO has another owner, group or mode" });
    steps.push({ kind: "systemctl", words: [service.active ? "restart" : "start", SERVICE], why });
  }
}

/** Whether the FIFO of a team's socket exists and has another owner than root, or another group or mode than its unit. */
function isStale({ path, text }: RenderedFile, host: Observed): boolean {
  const name = TEAM_SOCKET.test(path) ? unitOf(path) : undefined;
  const fifo = name === undefined ? undefined : host.fifo(name);
  if (fifo === undefined) return false;
  const asked = (key: string) => new RegExp(`^${key}=(\\d+)$`, "m").exec(text)?.[1];
  return (
    fifo.uid !== 0 ||
    String(fifo.gid) !== asked("SocketGroup") ||
    fifo.mode !== Number.parseInt(asked("SocketMode") ?? "", 8)
  );
}
