import { chmodSync, mkdirSync, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import { NixgateError } from "../../units/error.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { escapeText } from "../../units/text.ts";
import { replaceFile } from "./write-rendered.ts";

/**
 * Writes a closing file that all accounts can read, whatever the umask: with manager = "user" each account checks it
 * itself.
 * @throws NixgateError E_CLOSING, status 77 where this account may not, 73 otherwise
 */
export function putClosing(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    chmodSync(dirname(path), 0o755);
    replaceFile(path, `${text}\n`);
  } catch (error) {
    throw closingError(path, error instanceof NixgateError ? error.cause : error);
  }
}

/**
 * Removes a closing file. A missing one is no error.
 * @throws NixgateError E_CLOSING
 */
export function takeClosing(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw closingError(path, error);
  }
}

/** The error of a file of closings or of locks; any other error is returned as it is. */
export function closingError(path: string, cause: unknown): unknown {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === undefined) return cause;
  const mayNot = code === "EACCES" || code === "EPERM";
  return new NixgateError(
    "E_CLOSING",
    mayNot ? ExitStatus.denied : ExitStatus.cannotCreate,
    `${escapeText(path)}: cannot be changed: ${code}`,
    { hint: mayNot ? "run this as root" : "check the file system: full, read-only or failing", cause },
  );
}
