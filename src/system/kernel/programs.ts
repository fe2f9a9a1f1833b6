import { accessSync, constants } from "node:fs";
import { join } from "node:path";

/** Searched after the caller's PATH, which often lacks the folder of sshd for an ordinary account. */
const FURTHER = ["/run/current-system/sw/bin", "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin"];

/** The absolute path of an executable program, or undefined. */
export function findProgram(name: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(":").filter((folder) => folder.startsWith("/"));
  return [...folders, ...FURTHER]
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
