import { chmodSync, copyFileSync, cpSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "./temporary.ts";

/** Node.js and the built program where any account can run them: a clone below /root, say, is closed to all others. */
export function programForOthers(): { readonly node: string; readonly bundle: string } {
  const folder = temporaryFolder("program");
  chmodSync(folder, 0o755);
  const node = join(folder, "node");
  copyFileSync(process.execPath, node);
  chmodSync(node, 0o755);
  for (const file of ["bin/nixgate.cjs", "dist/nixgate.cjs", "dist/systeminformation.cjs", "dist/vega.cjs"])
    cpSync(file, join(folder, file));
  return { node, bundle: join(folder, "bin/nixgate.cjs") };
}
