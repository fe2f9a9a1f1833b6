import { closeSync, constants, fsyncSync, lstatSync, openSync, renameSync, unlinkSync } from "node:fs";
import { resolve } from "node:path";
import type { Output } from "../../archive/output.ts";
import { NixgateError } from "../../units/error.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { type Fd, toFd } from "../../units/ids.ts";
import { escapeText } from "../../units/text.ts";
import { clearPassing, writeAll } from "../terminal/output.ts";

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
/** Set whatever the umask: the output names the people who used this host and their commands. */
const MODE = 0o600;
const STDOUT = toFd(1);

/**
 * A file, or stdout. A file is written under a temporary name and put in place by rename(2) when it is complete: a link
 * at its path is neither followed nor replaced, and no reader sees a part of it.
 * @throws NixgateError E_OUTPUT_CREATE, status 73
 */
export function openOutput(path: string | undefined): Output {
  return path === undefined ? toStdout() : toFile(resolve(path));
}

function toStdout(): Output {
  return {
    write(text) {
      clearPassing();
      try {
        writeAll(STDOUT, text);
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EPIPE") return false;
        throw failed("stdout", error);
      }
    },
    finish: () => undefined,
    abandon: () => undefined,
  };
}

function toFile(path: string): Output {
  const shown = escapeText(path);
  refuseStrange(path, shown);
  const aside = `${path}.nixgate-${process.pid}`;
  const file = created(aside, shown);
  let open = true;
  const end = () => {
    if (open) closeSync(file);
    open = false;
  };
  const checked = (step: () => void) => {
    try {
      step();
    } catch (error) {
      throw failed(shown, error);
    }
  };
  return {
    write(text) {
      checked(() => writeAll(file, text));
      return true;
    },
    finish() {
      checked(() => {
        fsyncSync(file);
        end();
        renameSync(aside, path);
      });
    },
    abandon() {
      if (!open) return;
      end();
      unlinkSync(aside);
    },
  };
}

/** rename(2) would replace a device, a link or a FIFO with a regular file. */
function refuseStrange(path: string, shown: string): void {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined || there.isFile()) return;
  throw new NixgateError("E_OUTPUT_CREATE", ExitStatus.cannotCreate, `${shown}: exists and is not a regular file`, {
    hint: "name another file, or leave -o out and redirect stdout",
  });
}

function created(aside: string, shown: string): Fd {
  try {
    return toFd(openSync(aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, MODE));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new NixgateError("E_OUTPUT_CREATE", ExitStatus.cannotCreate, `${shown}: cannot be created: ${code}`, {
      hint: "name a file in a folder that this account may write to",
      cause,
    });
  }
}

function failed(shown: string, cause: unknown): unknown {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === undefined) return cause;
  return new NixgateError("E_OUTPUT_WRITE", ExitStatus.ioError, `${shown}: cannot be written: ${code}`, {
    hint: code === "ENOSPC" ? "make room, or write to another file system" : "write to another file",
    cause,
  });
}
