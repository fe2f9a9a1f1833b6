import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "./temporary.ts";

/** A program in logger's place. */
export function insteadOfLogger(script: string): { folder: string; logger: string } {
  const folder = temporaryFolder("journal");
  const logger = join(folder, "logger");
  writeFileSync(logger, `#!/bin/sh\ncd ${folder}\n${script}\n`);
  chmodSync(logger, 0o755);
  return { folder, logger };
}
