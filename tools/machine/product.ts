import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { codeBlocks, page, sshdBlock } from "../../test/support/markdown.ts";
import { MachineError, type Say } from "./error.ts";
import { lastLine } from "./host.ts";

const REPOSITORY = join(import.meta.dirname, "../..");
const GUEST = join(import.meta.dirname, "guest");

/**
 * The files that a guest gets at its start, as one tar archive: the package that a user would install, its
 * configuration, and the script that installs both.
 * @param ready a package file to use instead of packing this working tree
 * @throws MachineError E_MACHINE_PACKAGE
 */
export async function product(say: Say, ready = process.env["PACKAGE"]): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "nixgate-package-"));
  try {
    await npmInstall(ready ?? (await pack(folder, say)), join(folder, "usr-local"));
    for (const [name, text] of Object.entries(documented)) writeFileSync(join(folder, name), text);
    const names = ["-C", folder, "usr-local", ...Object.keys(documented), "-C", GUEST, "install.sh", "etc/nixgate"];
    const { stdout } = await execa("tar", ["--create", "--owner=0", "--group=0", ...names], {
      encoding: "buffer",
      stripFinalNewline: false,
    });
    return stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The commands and blocks that docs/getting-started.md and docs/supervisor.md give an administrator, verbatim. */
const documented = {
  "sshd-block": sshdBlock("ForceCommand"),
  "system.sh": codeBlocks(page("supervisor"), "sh").find((block) => block.includes("nixgate apply")) ?? "",
};

/** Runs the documented `npm install` on the host, into a folder that becomes the guest's /usr/local: the guest has no npm. */
async function npmInstall(package_: string, prefix: string): Promise<void> {
  const [command = ""] = /^npm install --global(?= )/m.exec(codeBlocks(page("getting-started"), "sh").join("")) ?? [];
  const [npm = "", ...words] = command.split(" ");
  const options = ["--prefix", prefix, "--offline", "--no-audit", "--no-fund", "--silent"];
  const done = await execa(npm, [...words, ...options, package_], { reject: false, all: true });
  if (done.exitCode !== 0)
    throw new MachineError(
      "E_MACHINE_PACKAGE",
      `${command} failed: ${lastLine(done.all)}`,
      "run it by hand to see why",
    );
}

async function pack(folder: string, say: Say): Promise<string> {
  say("packing nixgate");
  const options = ["pack", "--silent", "--pack-destination", folder];
  const packed = await execa("npm", options, { cwd: REPOSITORY, reject: false, all: true });
  if (packed.exitCode !== 0)
    throw new MachineError(
      "E_MACHINE_PACKAGE",
      `npm pack failed: ${lastLine(packed.all)}`,
      "run `npm pack` to see why",
    );
  return join(folder, lastLine(packed.stdout));
}
