import { closeSync, constants, fchmodSync, mkdirSync, openSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { NixgateError } from "../../units/error.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { toFd } from "../../units/ids.ts";
import { escapeText } from "../../units/text.ts";

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;

/**
 * Writes rendered files below a folder. A link at a file's path is refused, or replaced by rename(2) with `force`. It
 * is never followed.
 * @throws NixgateError E_RENDER_EXISTS where a file exists and `force` is not given, E_RENDER_WRITE otherwise; status
 * 73
 */
export function writeRendered(
  folder: string,
  files: readonly { readonly path: string; readonly text: string }[],
  { force }: { readonly force: boolean },
): readonly string[] {
  const targets = files.map(({ path, text }) => ({ path: join(resolve(folder), path), text }));
  return targets.map(({ path, text }) => {
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
      if (force) replace(path, text);
      else create(path, text);
      return path;
    } catch (error) {
      throw toNixgateError(path, error);
    }
  });
}

/**
 * Replaces a file by rename(2), so that a reader gets the complete old file or the complete new one.
 * @throws NixgateError E_RENDER_WRITE, status 73
 */
export function replaceFile(path: string, text: string): void {
  try {
    replace(resolve(path), text);
  } catch (error) {
    throw toNixgateError(path, error);
  }
}

function create(path: string, text: string): void {
  const file = toFd(openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644));
  try {
    fchmodSync(file, 0o644); // whatever the umask
    writeFileSync(file, text);
  } finally {
    closeSync(file);
  }
}

function replace(path: string, text: string): void {
  const aside = `${path}.nixgate-${process.pid}`;
  create(aside, text);
  try {
    renameSync(aside, path);
  } catch (error) {
    unlinkSync(aside);
    throw error;
  }
}

function toNixgateError(path: string, cause: unknown): unknown {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === undefined) return cause;
  const shown = escapeText(path);
  return code === "EEXIST"
    ? new NixgateError("E_RENDER_EXISTS", ExitStatus.cannotCreate, `${shown}: exists already`, {
        hint: "compare it, then overwrite it with --force",
        cause,
      })
    : new NixgateError("E_RENDER_WRITE", ExitStatus.cannotCreate, `${shown}: cannot be written: ${code}`, {
        hint: "name a folder that this account may write to",
        cause,
      });
}
