import { unlinkSync } from "node:fs";
import type { DayFile } from "../../archive/archive.ts";
import { RecordError } from "../../record/error.ts";
import { escapeText } from "../../units/text.ts";
import { inside } from "../files/safe-folder.ts";
import { withTeam } from "./day-file.ts";

/** Removes a day file, reached without following a link. A missing file counts as removed. */
export const createRemover = (directory: string) => (file: DayFile) => {
  try {
    withTeam(directory, file.team, (folderFd) => unlinkSync(inside(folderFd, `${file.day}.jsonl`)));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return;
    throw new RecordError("E_LOG_WRITE", `${escapeText(file.path)}: cannot be removed: ${code ?? message}`, {
      hint: hintFor(code),
      cause,
    });
  }
};

/** Root can remove every file, except where an attribute or the mount prevents it. */
function hintFor(code: string | undefined): string {
  if (code === "EROFS") return "its file system is mounted read-only: mount -o remount,rw";
  if (process.geteuid?.() !== 0) return "run it as root";
  return code === "EPERM"
    ? "it or its folder has an attribute, append-only or immutable: lsattr shows it, chattr -a -i removes it"
    : "check its folder and its disk";
}
