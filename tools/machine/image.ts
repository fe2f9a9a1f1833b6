import { copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { cached, contents, keyOf, keys } from "./cache.ts";
import { aptSources, type Suite } from "./debian.ts";
import { MachineError, type Say } from "./error.ts";
import { lastLine } from "./host.ts";
import { contained } from "./processes.ts";

const GUEST = join(import.meta.dirname, "guest");
const SIZE = "3G";

const PACKAGES = [
  ...["systemd", "systemd-sysv", "dbus", "dbus-user-session", "libpam-systemd"],
  ...["openssh-server", "openssh-client", "sudo", "iproute2", "procps", "ca-certificates"],
  ...["nix-bin", "nix-setup-systemd"],
  // Static, because a build's sandbox holds no libraries.
  ...["bash-static", "busybox-static"],
  // Doors by which an account's processes may come to be outside of its sessions.
  ...["cron", "at", "polkitd", "pkexec", "systemd-container"],
];

/** Older tools than the packages they fetch, and clocks that run elsewhere, are no reason to refuse a package. */
const APT_OPTIONS = ['Acquire::Check-Valid-Until "false"', 'Acquire::Check-Date "false"', 'Acquire::Languages "none"'];
const UNREAD = ["/usr/share/man/*", "/usr/share/locale/*", "/usr/share/doc/*"];

export interface Image {
  /** The file that guests start from; they write into copies of their own. */
  readonly disk: string;
  /** The same tree as a folder, for programs of this suite outside a guest. */
  readonly tree: string;
}

/**
 * The image of a suite: built when the cache has none that was made from the same packages, sources, keys and files.
 * nixgate is not in it, so a change of the product leaves it alone.
 * @throws MachineError E_MACHINE_IMAGE
 */
export async function image(suite: Suite, say: Say): Promise<Image> {
  const sources = aptSources(suite);
  if (sources === "")
    throw new MachineError(
      "E_MACHINE_SOURCES",
      "this machine's apt sources name no Debian suite of its own",
      "add Debian's main archive to /etc/apt/sources.list.d",
    );
  const secrets = await keys();
  const recipe = [...contents(join(GUEST, "image")), readFileSync(join(GUEST, "setup.sh"), "utf8")];
  const own = readFileSync(import.meta.filename, "utf8");
  const key = keyOf(suite, sources, process.version, own, ...recipe, ...contents(secrets));
  const folder = await cached(`image/${suite}`, key, (partial) => build(partial, suite, sources, secrets, say));
  return { disk: join(folder, "disk.ext4"), tree: join(folder, "tree") };
}

async function build(folder: string, suite: Suite, sources: string, secrets: string, say: Say): Promise<void> {
  const tree = join(folder, "tree");
  const list = join(folder, "debian.sources");
  writeFileSync(list, sources);

  say(`${suite}: fetching and unpacking Debian's packages`);
  await step(
    "mmdebstrap",
    ...["--quiet", "--mode=root", "--variant=minbase", "--format=directory", `--include=${PACKAGES.join(",")}`],
    ...[...APT_OPTIONS, ...(await proxies())].map((option) => `--aptopt=${option}`),
    ...UNREAD.map((path) => `--dpkgopt=path-exclude=${path}`),
    ...[suite, tree, list],
  );

  say(`${suite}: accounts, sshd, Nix, Node`);
  cpSync(join(GUEST, "image"), tree, { recursive: true });
  await step("chmod", "-R", "go-w", join(tree, "etc"), join(tree, "usr/local"));
  mkdirSync(join(tree, "usr/local/bin"), { recursive: true });
  copyFileSync(process.execPath, join(tree, "usr/local/bin/node"));
  await step("sh", join(GUEST, "setup.sh"), tree, secrets);

  say(`${suite}: writing the disk`);
  // No journal and no checksums: the disk is thrown away, never repaired. `-d` needs no loop device, hence no mount.
  const features = ["-O", "^has_journal,^metadata_csum", "-E", "lazy_itable_init=1,nodiscard", "-m", "0"];
  await step("mke2fs", "-q", "-t", "ext4", "-L", "root", "-d", tree, ...features, join(folder, "disk.ext4"), SIZE);
}

/** apt's way out of this machine, where it has one of its own; mmdebstrap reads none of the host's configuration. */
export async function proxies(): Promise<string[]> {
  const { stdout } = await execa("apt-config", ["dump"], { reject: false });
  return stdout.split("\n").flatMap((line) => /^(Acquire::https?::Proxy\S* ".+");$/.exec(line)?.[1] ?? []);
}

/** @throws MachineError with what the program said last */
async function step(...command: [string, ...string[]]): Promise<void> {
  const done = await execa(...contained(...command), { reject: false, all: true, env: { LC_ALL: "C" } });
  if (done.exitCode === 0) return;
  throw new MachineError("E_MACHINE_IMAGE", `${command[0]} failed: ${lastLine(done.all)}`, undefined, done);
}
