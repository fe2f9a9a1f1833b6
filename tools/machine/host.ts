import { existsSync, readFileSync } from "node:fs";
import { execa } from "execa";
import { MachineError, type Say } from "./error.ts";

/** The programs that the tool runs on the host, each with its Debian package. */
const PROGRAMS: Readonly<Record<string, string>> = {
  mmdebstrap: "mmdebstrap",
  patchelf: "patchelf",
  ip: "iproute2",
  mke2fs: "e2fsprogs",
  ssh: "openssh-client",
  unshare: "util-linux",
  tar: "tar",
};
const FOLDERS = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"];

/**
 * The first reason why no guest can run on this machine, or undefined.
 * @param machine replaces the real inspection of this machine, so that each reason can be tested anywhere
 */
export function obstacle(machine = inspectMachine()): string | undefined {
  if (machine.platform !== "linux" || machine.arch !== "x64")
    return `it is ${machine.platform} on ${machine.arch}, and Debian has User-Mode Linux for linux on x64 only`;
  if (!machine.isDebian) return "it is not a Debian: the guest is made from the packages of its apt sources";
  if (machine.uid !== 0) return "this is not root: namespaces and the network interface need it";
  if (!machine.hasTun) return "/dev/net/tun is missing: the guest has no way to the network without it";
  return undefined;
}

export function inspectMachine() {
  return {
    platform: process.platform as string,
    arch: process.arch as string,
    uid: process.getuid?.(),
    isDebian: existsSync("/etc/debian_version") && /^ID=debian$/m.test(osRelease()),
    hasTun: existsSync("/dev/net/tun"),
  };
}

function osRelease(): string {
  return existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
}

/** The suite that this machine itself runs, as its apt sources name it. */
export const hostSuite = (): string => /^VERSION_CODENAME=(\w+)$/m.exec(osRelease())?.[1] ?? "sid";

export function missingPackages(): string[] {
  const lacks = (program: string) => !FOLDERS.some((folder) => existsSync(`${folder}/${program}`));
  return Object.entries(PROGRAMS)
    .filter(([program]) => lacks(program))
    .map(([, name]) => name);
}

/** @throws MachineError E_MACHINE_HOST when no guest can run here, in one line that says why */
export function requireHost(): void {
  const reason = obstacle();
  if (reason !== undefined) throw new MachineError("E_MACHINE_HOST", `this machine cannot run a guest: ${reason}`);
}

/** Installs what the host lacks. @throws MachineError E_MACHINE_PACKAGES when apt-get cannot */
export async function installMissing(say: Say): Promise<void> {
  const missing = missingPackages();
  if (missing.length === 0) return;
  say(`installing ${missing.join(" ")}`);
  const apt = (...words: string[]) =>
    execa("apt-get", ["-qq", ...words], { env: { DEBIAN_FRONTEND: "noninteractive" }, reject: false, all: true });
  await apt("update");
  const done = await apt("install", "--yes", "--no-install-recommends", ...missing);
  if (done.exitCode !== 0)
    throw new MachineError(
      "E_MACHINE_PACKAGES",
      `apt-get could not install ${missing.join(" ")}: ${lastLine(done.all)}`,
      "repair the apt sources, or install these packages by hand",
    );
}

/** The last line of a failed program's output, for a message. */
export const lastLine = (text: string | undefined): string => text?.trimEnd().split("\n").at(-1) ?? "";
