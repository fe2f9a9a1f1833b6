import { createHash } from "node:crypto";
import { closeSync, readdirSync, realpathSync, statSync, unlinkSync } from "node:fs";
import { homedir } from "node:os";
import type { DayIndex } from "../../archive/archive.ts";
import type { Fd } from "../../units/ids.ts";
import { inside, makeFolder, openFolder, openFolderIn } from "../files/safe-folder.ts";
import { dayIndex } from "./day-index.ts";

/** A temporary file that is older than this was left by a killed reader. */
const ABANDONED_MS = 3_600_000;

export interface IndexFolder {
  /** @param name of the day file */
  of(team: string, name: string, openDay: () => Fd): DayIndex;
  /** Removes the index of files that are gone: pruning must also remove the derived data. */
  tidy(files: readonly { readonly team: string; readonly day: string }[]): void;
}

const nameOf = (team: string, day: string) => `${team}.${day}`;

/**
 * The folder where a reader stores its index of an archive: $XDG_CACHE_HOME, otherwise /var/cache for root and ~/.cache
 * for others, with a subfolder for each archive. Nothing is stored where that folder is not available or another
 * account can write to it.
 * @param directory the archive's
 */
export function indexFolder(directory: string): IndexFolder {
  let folderFd: Fd | undefined;
  const open = (make: boolean) => {
    try {
      folderFd ??= openOwn(realpathSync(directory), make);
    } catch {
      // not available: the day files themselves are read
    }
    return folderFd;
  };
  return {
    of: (team, name, openDay) => dayIndex(open, nameOf(team, name.replace(/\.jsonl$/, "")), openDay),
    tidy(files) {
      const ownFd = open(false);
      if (ownFd === undefined) return;
      const known = new Set(files.map(({ team, day }) => nameOf(team, day)));
      for (const name of readdirSync(inside(ownFd, ".")).filter((name) => !known.has(name))) {
        try {
          if (!name.startsWith(".") || isAbandoned(inside(ownFd, name))) unlinkSync(inside(ownFd, name));
        } catch {
          // another reader was faster
        }
      }
    },
  };
}

const isAbandoned = (path: string) =>
  Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > ABANDONED_MS;

function openOwn(directory: string, make: boolean): Fd {
  const [base, ...names] = whereTo();
  let folderFd = openFolder(base);
  let path = base;
  for (const name of [...names, createHash("sha256").update(directory).digest("hex").slice(0, 32)]) {
    path += `/${name}`;
    try {
      if (make) makeFolder(folderFd, name, 0o700);
      const next = openFolderIn(folderFd, name, path);
      closeSync(folderFd);
      folderFd = next;
    } catch (error) {
      closeSync(folderFd);
      throw error;
    }
  }
  return folderFd;
}

/**
 * XDG Base Directory Specification 0.8. `openFolder` refuses folders of other accounts, even where a client set the
 * variable.
 */
function whereTo(): readonly [base: string, ...names: string[]] {
  const own = process.env["XDG_CACHE_HOME"];
  if (own?.startsWith("/")) return [own, "nixgate", "index"];
  return process.geteuid?.() === 0 ? ["/var/cache", "nixgate", "index"] : [homedir(), ".cache", "nixgate", "index"];
}
