import { accessSync, constants } from "node:fs";
import { join } from "node:path";

/** Behind the caller's PATH: an ordinary account's often lacks the folders that sshd lies in. */
const FURTHER = ["/run/current-system/sw/bin", "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin"];

/** The absolute path of a program that can be executed, or undefined. */
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
