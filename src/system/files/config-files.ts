import { fstatSync, lstatSync, readdirSync, readSync } from "node:fs";
import { dirname } from "node:path";
import { type ConfigFile, type ConfigFiles, LARGEST_FILE, type Read } from "../../policy/config-files.ts";
import { digest } from "../../units/digest.ts";
import { type OpenPath, PathRefused, withTrustedPath } from "./trusted-path.ts";

/**
 * The configuration files of this machine. They are trusted as sshd's StrictModes trusts authorized_keys; see
 * trusted-path.ts.
 * @param owners user ids whose files are trusted besides root's: the caller's
 */
export function configFiles(owners: readonly number[]): ConfigFiles {
  const attempt = <T>(path: string, use: (open: OpenPath) => T): Read<T> => {
    try {
      return { kind: "found", found: withTrustedPath(path, owners, use) };
    } catch (error) {
      if (!(error instanceof PathRefused)) throw error;
      const { message, fix, path: culprit, kind } = error;
      const problem = { severity: "error", path: culprit, line: undefined, message, fix } as const;
      if (kind === "missing") return { kind, problem: { ...problem, path } };
      return { kind: "refused", problem: { ...problem, ...(kind === "temporary" && { temporary: true }) } };
    }
  };
  return {
    read: (path) => attempt(path, (open) => readConfigFile(path, open)),
    list: (directory) =>
      attempt(directory, ({ type, folder }) => {
        if (type !== "directory") throw new PathRefused(directory, "is not a folder", "name a folder");
        return readdirSync(folder()).sort();
      }),
    isThere: (path) => {
      try {
        return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
      } catch (error) {
        // In a folder without search permission the file may exist.
        return (error as NodeJS.ErrnoException).code === "EACCES" && canBeSeen(dirname(path));
      }
    },
    kind: (path) => attempt(path, ({ type }) => type),
  };
}

function canBeSeen(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false; // a read of another file reports the reason
  }
}

function readConfigFile(path: string, open: OpenPath): ConfigFile {
  if (open.type !== "file") throw new PathRefused(path, "is a folder", "name a file");
  const fd = open.file();
  const { size } = fstatSync(fd);
  if (size > LARGEST_FILE) throw new PathRefused(path, "is larger than 1 MiB", "keep a configuration file below 1 MiB");
  const bytes = Buffer.allocUnsafe(size + 1);
  let length = 0;
  for (let count = -1; count !== 0 && length < bytes.length; length += count)
    count = readSync(fd, bytes, length, bytes.length - length, null);
  if (length > size)
    throw new PathRefused(path, "grew while it was read", "write it elsewhere and rename it into place");
  const content = bytes.subarray(0, length);
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(content);
    return {
      path,
      text,
      // computed only when needed: a session does not record the hash of nixgate.toml
      get sha256() {
        return digest(content, "hex");
      },
    };
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new PathRefused(path, "is not UTF-8", "save it as UTF-8 text");
  }
}
