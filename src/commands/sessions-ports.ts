import type { Archive, ArchiveProblem, IsAlive } from "../record/archive.ts";
import { escapeText } from "../units/text.ts";

/** Where the archive is said to be, in the words of the command line. */
export interface ArchivePlace {
  readonly logDirectory: string | undefined;
  readonly configDirectory: string | undefined;
}

/** What the reading commands need of the world. */
export interface SessionsPorts {
  /** The archive of --log-dir, or else of log.directory in the configuration. */
  archive(place: ArchivePlace): Archive | Promise<Archive>;
  liveness(): IsAlive;
  /** Milliseconds since 1970. */
  now(): number;
}

export const PLACE_OPTIONS = {
  "log-dir": { type: "string" },
  "config-dir": { type: "string" },
} as const;

export const PLACE_HELP = `  --log-dir DIR      read the records below DIR
  --config-dir DIR   read the records below log.directory of DIR/nixgate.toml`;

type Options = Readonly<Record<string, string | boolean | undefined>>;

export const textOption = (options: Options, name: string): string | undefined => {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
};

export const openPlace = (options: Options, ports: SessionsPorts) =>
  ports.archive({
    logDirectory: textOption(options, "log-dir"),
    configDirectory: textOption(options, "config-dir"),
  });

/** Collects what was wrong with the archive: said on stderr, never hidden, the first few in full. */
export function problemList() {
  const shown: string[] = [];
  let more = 0;
  return {
    report: ({ path, what }: ArchiveProblem) => {
      if (shown.length < 20) shown.push(`${escapeText(path)}: ${escapeText(what)}\n`);
      else more += 1;
    },
    text: () => shown.join("") + (more > 0 ? `and ${more} more; \`nixgate sessions verify\` names them all\n` : ""),
  };
}
