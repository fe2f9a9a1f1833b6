import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { MachineError, type Say } from "./error.ts";
import { lastLine } from "./host.ts";

const REPOSITORY = join(import.meta.dirname, "../..");
const GUEST = join(import.meta.dirname, "guest");

/**
 * What is put into a guest at its start, as one tar archive: the package that a user would install, its
 * configuration, and the script that lays both in their places.
 * @param ready a package file, to be taken instead of packing this working tree
 * @throws MachineError E_MACHINE_PACKAGE
 */
export async function product(say: Say, ready = process.env["PACKAGE"]): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "nixgate-package-"));
  try {
    copyFileSync(ready ?? (await pack(folder, say)), join(folder, "package.tgz"));
    const names = ["-C", folder, "package.tgz", "-C", GUEST, "install.sh", "etc/nixgate"];
    const { stdout } = await execa("tar", ["--create", "--owner=0", "--group=0", ...names], { encoding: "buffer" });
    return stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
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
