import { digest } from "../units/digest.ts";
import { escapeText } from "../units/text.ts";
import type { RenderedFile } from "./slices.ts";

/** A comment of systemd and sysctl, or of XML. */
const HEADER = /^(?:#|<!--) Made by nixgate from (\S+), sha256 of what follows: ([0-9a-f]{64})(?: -->)?\n/;

/** What the first line of a rendered file says. */
export interface MadeBy {
  /** The configuration folder that it was made from, as it is written there. */
  readonly configDirectory: string;
  /** Whether the rest is as it was rendered. */
  readonly isUntouched: boolean;
}

/** The same file with a first line that says which configuration it is of, so that stale and left-over ones are found. */
export function headed({ path, text }: RenderedFile, configDirectory: string): RenderedFile {
  const [open, close] = text.startsWith("<") ? ["<!--", " -->"] : ["#", ""];
  const made = `Made by nixgate from ${named(configDirectory)}, sha256 of what follows: ${digest(text, "hex")}`;
  return { path, text: `${open} ${made}${close}\n${text}` };
}

/** Undefined where no nixgate has made it. */
export function madeBy(text: string): MadeBy | undefined {
  const [first = "", configDirectory, sha256] = HEADER.exec(text) ?? [];
  if (configDirectory === undefined) return undefined;
  return { configDirectory, isUntouched: digest(text.slice(first.length), "hex") === sha256 };
}

/** One word, which may stand in a comment of XML. */
export const named = (configDirectory: string): string => escapeText(configDirectory).replaceAll(/\s|--/g, "_");
