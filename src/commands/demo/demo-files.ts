import type { DemoPorts, Workshop } from "./demo-ports.ts";

/** The team and the member of policies/ci.toml that the demo's client uses. */
export const TEAM = "ci";
export const MEMBER = "runner";

export type DemoManager = "user" | "none";

/** Without build users and binary caches: the demo copies one file and uses no network. */
export const NIX_CONF = "build-users-group =\nsubstituters =\nexperimental-features = nix-command\n";

export interface HostChoice {
  readonly manager: DemoManager;
  readonly nixStore: string;
  readonly nixDaemon: string;
  /** The record folder, absolute. */
  readonly log: string;
}

/** The demo's one session is admitted, whatever the load of the machine. */
export function hostFile({ manager, nixStore, nixDaemon, log }: HostChoice): string {
  return `schema = 1
[scope]
manager = "${manager}"
[programs]
nix-store = "${nixStore}"
nix-daemon = "${nixDaemon}"
[log]
directory = "${log}"
journald = false
[admission]
min_available_memory = 0
max_load_per_cpu = 1e6
`;
}

/**
 * The example policy with another store in each rule's environment, so that the machine's own store is not touched.
 * Without a cgroup, TasksMax becomes RLIMIT_NPROC, which counts all threads of the account, also those outside of the
 * demo. There it is as high as the team's.
 */
export function demoPolicy(example: string, store: Readonly<Record<string, string>>, manager: DemoManager): string {
  const environment = Object.entries(store).map(([name, value]) => `${name} = "${value}"`);
  const withStore = example.replace(
    /^endpoint = .*$/gm,
    (line) => `${line}\nenvironment = { ${environment.join(", ")} }`,
  );
  return manager === "user" ? withStore : withStore.replace(/^TasksMax = .*$/m, "TasksMax = 4096");
}

/** A store in the demo's folder that replaces a machine's /nix. */
export const storeOf = ({ folder }: Workshop, side: "client" | "server"): Readonly<Record<string, string>> => ({
  NIX_REMOTE: `local?root=${folder}/${side}`,
  NIX_CONF_DIR: `${folder}/nix`,
});

/** Debian's packages of the programs that the demo runs. */
const PACKAGES = {
  nix: "nix-bin",
  "nix-store": "nix-bin",
  "nix-daemon": "nix-bin",
  "nix-hash": "nix-bin",
  sshd: "openssh-server",
  ssh: "openssh-client",
  "ssh-keygen": "openssh-client",
} as const;

export type DemoPrograms = Readonly<Record<keyof typeof PACKAGES, string>>;

/** The absolute paths of the programs, or the missing programs and their packages. */
export function findPrograms(
  ports: Pick<DemoPorts, "findProgram">,
): { readonly found: DemoPrograms } | { readonly missing: readonly string[]; readonly packages: readonly string[] } {
  const names = Object.keys(PACKAGES) as (keyof DemoPrograms)[];
  const paths = names.map((name) => [name, ports.findProgram(name)] as const);
  const missing = paths.filter(([, path]) => path === undefined).map(([name]) => name);
  if (missing.length === 0) return { found: Object.fromEntries(paths) as DemoPrograms };
  return { missing, packages: [...new Set(missing.map((name) => PACKAGES[name]))] };
}
