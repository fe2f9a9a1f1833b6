import type { Archive, ArchiveProblem, IsAlive } from "../record/archive.ts";
import { escapeText } from "../units/text.ts";

/** Where the archive is said to be, in the words of the command line. */
export interface ArchivePlace {
  readonly logDirectory: string | undefined;
  readonly configDirectory: string | undefined;
  /** Whether what earlier readings kept may be used. */
  readonly index: boolean;
}

/** What the reading commands need of the world. */
export interface SessionsPorts {
  /** The archive of --log-dir, or else of log.directory in the configuration. */
  archive(place: ArchivePlace): Archive | Promise<Archive>;
  liveness(): IsAlive;
  /** Milliseconds since 1970. */
  now(): number;
  /** Says how far a long reading is, to whoever watches; absent where nobody does. */
  readonly progress?: (words: () => string) => void;
}

/** For answers that come bit by bit. */
export interface PrintingPorts extends SessionsPorts {
  /** @returns false when nobody reads any more */
  print(text: string): boolean;
}

export const PLACE_OPTIONS = {
  "log-dir": { type: "string" },
  "config-dir": { type: "string" },
} as const;

export const PLACE_HELP = `  --log-dir DIR      read the records below DIR
  --config-dir DIR   read the records below log.directory of DIR/nixgate.toml`;

/** For what is read from summaries; what looks at the records themselves has no need of it. */
export const INDEX_OPTIONS = { "no-index": { type: "boolean" } } as const;

export const INDEX_HELP = `  --no-index         read the records themselves, not what was kept of them when they were last read`;

type Options = Readonly<Record<string, string | boolean | undefined>>;

export const textOption = (options: Options, name: string): string | undefined => {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
};

export const openPlace = (options: Options, ports: SessionsPorts) =>
  ports.archive({
    logDirectory: textOption(options, "log-dir"),
    configDirectory: textOption(options, "config-dir"),
    index: options["no-index"] !== true,
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
