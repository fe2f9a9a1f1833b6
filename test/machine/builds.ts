import { type ChildProcess, spawn } from "node:child_process";
import { sshCommand } from "../../tools/machine/talk.ts";
import { waitFor } from "../support/wait-for.ts";
import type { Guest, Outcome } from "./support.ts";

const FILE = "/root/builders.nix";

/** Derivations by name. The only program in Nix's sandbox is /bin/sh, which is bash there. */
const BUILDERS = {
  where: 'while read -r line; do echo "$line"; done </proc/self/cgroup >$out',
  bomb: "f() { f | f & }; f; while :; do f; done",
  hog: "printf -v x %*s 300000000 x",
  endless: "echo begun; while :; do :; done",
  flood: "while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done",
  small: "echo built >$out",
} as const;
type Builder = keyof typeof BUILDERS;

/** Puts the derivations into the guest. */
export async function writeBuilders(guest: Guest): Promise<void> {
  const each = Object.entries(BUILDERS).map(([name, script]) => `  ${name} = ''${script}'';`);
  const rest = 'system = "x86_64-linux"; builder = "/bin/sh"; inherit stamp;';
  const input = `{ which, stamp }: let scripts = {\n${each.join("\n")}\n};\nin derivation { name = which; ${rest} args = [ "-c" scripts.$\{which} ]; }\n`;
  await guest.asRoot(`cat >${FILE}`, { input });
}

/** Words for a shell of root's in the guest, whose Nix asks a store to build; each call builds anew. */
const words = (store: string, builder: Builder) =>
  `cd /root; exec nix-build --no-out-link --store ${store} ${FILE} --argstr which ${builder} --argstr stamp $(date +%s%N)`;

export const buildOn = (guest: Guest, store: string, builder: Builder): Promise<Outcome> =>
  guest.asRoot(words(store, builder));

/** A client that builds in the guest. Disposed of, its connection is lost. */
export function startBuild(guest: Guest, store: string, builder: Builder): ChildProcess & Disposable {
  const [file, ...rest] = sshCommand(guest.state, "root", [words(store, builder)]);
  const client = spawn(file as string, rest, { stdio: "pipe" });
  return Object.assign(client, { [Symbol.dispose]: () => void client.kill("SIGKILL") });
}

/** A build user's process. */
export const awaitBuild = (guest: Guest): Promise<unknown> =>
  waitFor(
    "a build",
    async () => (await guest.asRoot("pgrep -u nixbld1,nixbld2,nixbld3,nixbld4")).exitCode === 0,
    60_000,
  );

/** Prints what is left of bounded builds: processes of build users, daemons, sockets, units, and locks that are held. */
const LEFT = [
  "pgrep -a -u nixbld1,nixbld2,nixbld3,nixbld4,nixbld5,nixbld6",
  "pgrep -af '[n]ix-daemon .*--store local'",
  "find /run/nixgate -type s",
  "systemctl list-units --all --plain --no-legend 'nixgate-*-builds.*' 'nixgate-*-*.slice'",
  "for lock in /nix/store/*.lock /nix/var/nix/userpool/*; do [ ! -e $lock ] || flock -n $lock true || echo held $lock; done",
  "find /tmp /nix/var/nix/builds -maxdepth 3 -name 'nix-build-*.drv-*' 2>/dev/null",
].join("; ");

/** Waits until nothing is left of bounded builds. */
export async function noBuildLeft(guest: Guest, withinMs = 60_000): Promise<void> {
  let left = "";
  const isGone = async () => {
    left = `${(await guest.asRoot(LEFT)).stdout}`.trim();
    return left === "";
  };
  await waitFor("no build to be left", isGone, withinMs).catch((error: unknown) => {
    throw new Error(`left: ${left}`, { cause: error });
  });
}
