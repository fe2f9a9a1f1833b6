import { readFileSync } from "node:fs";

/** The text of one of the kernel's small files, or undefined where there is no such file or it cannot be read. */
export function readKernelFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
