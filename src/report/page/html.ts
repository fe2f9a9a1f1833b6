import { escapeText } from "../../units/text.ts";

/** Markup that was made by `html`, or by a program that escapes: it may stand in a page as it is. */
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

/** Text from outside as a page, or a quoted attribute, can show it: no markup, and nothing that hides or reorders. */
export const escapeHtml = (text: string): string =>
  escapeText(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");

function markupOf(value: Value): string {
  if (value instanceof Html) return value.markup;
  if (value === undefined || value === false) return "";
  return typeof value === "object" ? value.map(markupOf).join("") : escapeHtml(String(value));
}

/** A template that escapes every value but markup of its own making. Attributes are to be written in double quotes. */
export const html = (texts: TemplateStringsArray, ...values: readonly Value[]): Html =>
  new Html(texts.reduce((page, text, index) => page + markupOf(values[index - 1]) + text));
