import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";

/** sshd run by root requires this folder (its compiled-in privilege separation directory on Debian, OpenSSH 9.2). */
const PRIVSEP = "/run/sshd";
/**
 * The prefix of marker folders. They show how many of nixgate's sshd processes share a folder that one of them made.
 */
const MARK = "nixgate-";

export type Argv = readonly [string, ...string[]];

/** The command that starts sshd, and the cleanup after its end. */
export interface Call {
  readonly argv: Argv;
  readonly tidy: () => void;
}

/**
 * Provides the folder where root lacks it. sshd gets a private /run with the machine's entries (among them systemd's
 * sockets) and that folder. A container may forbid mounts; there the folder is made while sshd runs.
 * @param folder a private one, to mount on
 */
export function withPrivsepFolder(argv: Argv, folder: string): Call {
  const entries = process.getuid?.() === 0 ? entriesOf(PRIVSEP) : [];
  if (entries && !entries.some((name) => name.startsWith(MARK))) return { argv, tidy: () => {} };
  if (!entries && mayMount()) {
    const machines = join(folder, "run");
    mkdirSync(machines, { recursive: true });
    return { argv: ["unshare", "--mount", "sh", "-c", OWN_RUN, "own-run", machines, ...argv], tidy: () => {} };
  }
  mkdirSync(PRIVSEP, { recursive: true, mode: 0o755 });
  const mark = mkdtempSync(join(PRIVSEP, MARK));
  return { argv, tidy: () => letGo(mark) };
}

function entriesOf(folder: string): readonly string[] | undefined {
  try {
    return readdirSync(folder);
  } catch {
    return undefined;
  }
}

function mayMount(): boolean {
  try {
    execFileSync("unshare", ["--mount", "mount", "-n", "-t", "tmpfs", "tmpfs", "/run"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** `-n`: otherwise mount(8) would record each mount in the machine's own /run/mount. */
const OWN_RUN = `set -e
machines=$1
shift
mount -n --rbind /run "$machines"
mount -n -t tmpfs -o mode=755 tmpfs /run
mkdir -m 755 ${PRIVSEP}
for entry in "$machines"/*; do
  name=/run/\${entry##*/}
  if [ -L "$entry" ]; then cp -P "$entry" "$name"
  elif [ -d "$entry" ]; then mkdir "$name"; mount -n --rbind "$entry" "$name"
  elif [ -e "$entry" ]; then : >"$name"; mount -n --bind "$entry" "$name"
  fi
done
exec "$@"`;

function letGo(mark: string): void {
  rmdirSync(mark);
  try {
    rmdirSync(PRIVSEP);
  } catch {
    // another sshd of nixgate's still needs it
  }
}
