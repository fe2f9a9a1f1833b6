import { escapeText } from "../../units/text.ts";

/** Markup from `html`, or from a program that escapes. A page may hold it unchanged. */
export class Html {
  readonly markup: string;
  constructor(markup: string) {
    this.markup = markup;
  }
}

type Value = Html | string | number | undefined | false | readonly Value[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Text from outside for a page or a quoted attribute: without markup, and without characters that hide or reorder text.
 */
export const escapeHtml = (text: string): string =>
  escapeText(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");

function markupOf(value: Value): string {
  if (value instanceof Html) return value.markup;
  if (value === undefined || value === false) return "";
  return typeof value === "object" ? value.map(markupOf).join("") : escapeHtml(String(value));
}

/** A template that escapes every value except its own markup. Attributes must be written in double quotes. */
export const html = (texts: TemplateStringsArray, ...values: readonly Value[]): Html =>
  new Html(texts.reduce((page, text, index) => page + markupOf(values[index - 1]) + text));
