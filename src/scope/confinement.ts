import type { AllowRule } from "../policy/policy.ts";
import type { BusProperty } from "./bus-properties.ts";
import type { Property } from "./properties.ts";

/** A property of systemd.exec(5), in the spelling of a unit file and in that of the bus. */
interface Confining extends Property {
  readonly bus: BusProperty;
}

const on = (name: string): Confining => ({ name, value: "yes", bus: [name, "b", true] });
const word = (name: string, value: string): Confining => ({ name, value, bus: [name, "s", value] });
/** EPERM of errno(3). */
const NOT_PERMITTED = 1;

const MANAGERS = [
  "AskPassword",
  "BootControl",
  "Credentials",
  "FactoryReset",
  "Home",
  "Hostname",
  "Import",
  "JournalAccess",
]
  .concat("Login", "Machine", "MachineImage", "ManagedOOM", "Manager", "Metrics", "MountFileSystem", "MuteConsole")
  .concat("NamespaceResource", "Network", "PCRExtend", "PCRLock", "Repart", "SysInstall", "Udev", "Unit", "sysext");
/**
 * Sockets on which PID 1 and other services of root answer any account (systemd 262). Each call costs them time that no
 * limit of the caller bounds. Sockets that a host does not have are skipped.
 */
const OUT_OF_REACH = [
  ...["/run/dbus", "/run/ssh-unix-local", "/run/systemd/notify", "/run/systemd/private", "/run/systemd/report"],
  ...["/run/systemd/machine", "/run/systemd/resolve.hook", "/run/polkit"],
  "/run/systemd/userdb/io.systemd.DynamicUser", // not the others: one of them may be the source of the account
  "/run/systemd/io.system.ManagedOOM", // systemd 252
  ...MANAGERS.map((name) => `/run/systemd/io.systemd.${name}`),
].map((path) => `-${path}`);

/**
 * The sandbox of a confined command. It allows only what Nix's programs need as clients of nix-daemon(8). They connect
 * to the daemon's socket in /nix/var/nix; the daemon does builds, substitution and the database.
 */
const SANDBOX: readonly Confining[] = [
  word("ProtectSystem", "strict"),
  word("ProtectHome", "tmpfs"), // an empty folder; with "yes" Nix 2.8 fails with EACCES on its settings in HOME
  { name: "InaccessiblePaths", value: OUT_OF_REACH.join(" "), bus: ["InaccessiblePaths", "as", OUT_OF_REACH] },
  on("PrivateTmp"),
  on("PrivateIPC"), // System V objects and message queues: ipc_namespaces(7)
  // PrivateDevices= leaves the host's there
  {
    name: "TemporaryFileSystem",
    value: "/dev/shm:mode=1777,nosuid,nodev",
    bus: ["TemporaryFileSystem", "a(ss)", [["/dev/shm", "mode=1777,nosuid,nodev"]]],
  },
  on("PrivateDevices"),
  on("NoNewPrivileges"),
  { name: "CapabilityBoundingSet", value: "", bus: ["CapabilityBoundingSet", "t", 0n] },
  { name: "RestrictAddressFamilies", value: "AF_UNIX", bus: ["RestrictAddressFamilies", "(bas)", [true, ["AF_UNIX"]]] },
  { name: "RestrictNamespaces", value: "yes", bus: ["RestrictNamespaces", "t", 0n] },
  on("RestrictRealtime"),
  on("RestrictSUIDSGID"),
  on("LockPersonality"),
  on("ProtectClock"),
  on("ProtectHostname"),
  on("ProtectControlGroups"),
  on("ProtectKernelLogs"),
  on("ProtectKernelModules"),
  on("ProtectKernelTunables"),
  word("ProtectProc", "invisible"),
  word("KeyringMode", "private"),
  { name: "SystemCallArchitectures", value: "native", bus: ["SystemCallArchitectures", "as", ["native"]] },
  {
    name: "SystemCallFilter",
    value: "@system-service",
    bus: ["SystemCallFilter", "(bas)", [true, ["@system-service"]]],
  },
  { name: "SystemCallErrorNumber", value: "EPERM", bus: ["SystemCallErrorNumber", "i", NOT_PERMITTED] },
];

/**
 * A client may name a local store with a root of its own. The command itself writes to that store, without the daemon.
 */
const ROOT_OF_STORE = /^local\?(?:[^#]*&)?root=(\/[^&#]*)/;

/** Where the host's own Nix daemon is spoken to. */
const HOST_DAEMON = "-/nix/var/nix/daemon-socket";

/**
 * @param rule the rule whose stores stay writable
 * @param boundsBuilds whether the command has a daemon of its own, and must not reach the host's
 */
export function confinement(rule: AllowRule, boundsBuilds = false): readonly Confining[] {
  return boundsBuilds ? sandbox(rule).map(withoutHostDaemon) : sandbox(rule);
}

function withoutHostDaemon(property: Confining): Confining {
  if (property.name !== "InaccessiblePaths") return property;
  const paths = [...OUT_OF_REACH, HOST_DAEMON];
  return { ...property, value: paths.join(" "), bus: [property.name, "as", paths] };
}

function sandbox(rule: AllowRule): readonly Confining[] {
  const stores = rule.kind === "endpoint" ? rule.stores : [];
  const roots = stores.flatMap((store) => ROOT_OF_STORE.exec(store)?.[1] ?? []);
  if (roots.length === 0) return SANDBOX;
  return [...SANDBOX, { name: "ReadWritePaths", value: roots.join(" "), bus: ["ReadWritePaths", "as", roots] }];
}
