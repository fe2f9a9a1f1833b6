import { digest } from "../units/digest.ts";
import { escapeText } from "../units/text.ts";
import type { RenderedFile } from "./slices.ts";

/** The first line: a comment of systemd and sysctl, or of XML. */
const HEADER = /^(?:#|<!--) Made by nixgate from (\S+), sha256 of what follows: ([0-9a-f]{64})(?: -->)?\n/;

/** The facts in the first line of a rendered file. */
export interface MadeBy {
  /** The configuration folder of the file, as the first line spells it. */
  readonly configDirectory: string;
  /** Whether the rest of the file is unchanged since it was rendered. */
  readonly isUntouched: boolean;
}

/** The file with a first line that names its configuration, so that stale and left-over files can be found. */
export function headed({ path, text }: RenderedFile, configDirectory: string): RenderedFile {
  const [open, close] = text.startsWith("<") ? ["<!--", " -->"] : ["#", ""];
  const made = `Made by nixgate from ${named(configDirectory)}, sha256 of what follows: ${digest(text, "hex")}`;
  return { path, text: `${open} ${made}${close}\n${text}` };
}

/** The facts of the first line; undefined where no nixgate made the file. */
export function madeBy(text: string): MadeBy | undefined {
  const [first = "", configDirectory, sha256] = HEADER.exec(text) ?? [];
  if (configDirectory === undefined) return undefined;
  return { configDirectory, isUntouched: digest(text.slice(first.length), "hex") === sha256 };
}

/** The folder's name as one word that may stand in a comment of XML. */
export const named = (configDirectory: string): string => escapeText(configDirectory).replaceAll(/\s|--/g, "_");
