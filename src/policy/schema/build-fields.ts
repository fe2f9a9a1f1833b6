import * as z from "zod/mini";
import { BUILD_SETTINGS, type BuildKeys, SANDBOXES, type SettingKind } from "../builds.ts";
import { quoted } from "./describe-value.ts";
import { bytes, count, duration, field, list, wrongType } from "./field.ts";

const sandbox = field('true or false or "relaxed"', (value) => {
  const found = SANDBOXES.find((word) => word === (typeof value === "boolean" ? String(value) : value));
  return found !== undefined && (typeof value === "boolean" || found === "relaxed")
    ? found
    : wrongType(value, "a mode of Nix's sandbox", 'write true, false or "relaxed"');
});

/** nix.conf(5) separates words by blanks and begins a comment with `#`, and has no quotes. */
const WORD = /^[^\s#\p{Cc}]+$/u;
const word = field("word", (value) => {
  if (typeof value !== "string") return wrongType(value, "a word", "write each word in quotes");
  return WORD.test(value)
    ? value
    : { problem: `${quoted(value)} is not one word of nix.conf`, fix: "write words without blanks and without #" };
});

const FIELDS = {
  count,
  duration,
  size: bytes(),
  sandbox,
  words: list(word, 'write a list of words, such as ["kvm", "big-parallel"]'),
} satisfies Record<SettingKind, z.core.SomeType>;

/** One optional key for each setting. */
type Fields = {
  [Key in keyof BuildKeys]-?: z.ZodMiniExactOptional<z.ZodMiniType<NonNullable<BuildKeys[Key]>, unknown>>;
};

/** The keys of [builds] that are settings of Nix's. The table of settings gives each key its kind. */
export const buildFields = Object.fromEntries(
  BUILD_SETTINGS.map(({ key, kind }) => [key, z.exactOptional(FIELDS[kind] as z.ZodMiniType)]),
) as Fields;
