import { describeFields } from "../../src/record/describe-fields.ts";

const BEGIN = "<!-- record fields: written by `node test/support/write-doc-tables.ts` -->\n";
const END = "<!-- end of record fields -->";
const TITLES = ["record", "field", "type", "unit", "what it is", "absent when"];

/** The rows of docs/records.md's table of every field of every record, made from the records' schema. */
export function recordFieldRows(): readonly (readonly string[])[] {
  return describeFields().map(({ event, field, type, unit, description, absent }) => [
    event === "*" ? "every" : `\`${event}\``,
    `\`${field}\``,
    closedVocabulary(field) ?? type,
    unit ?? "",
    description,
    absent ?? "",
  ]);
}

/** These two have tables of their own. */
const closedVocabulary = (field: string) => ({ reason: "a reason", cause: "a cause" })[field];

const table = (rows: readonly (readonly string[])[]) =>
  [TITLES, TITLES.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |\n`).join("");

/** A text with the table between its two marks. */
export function withRecordFields(text: string): string {
  const [before, after] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (before < 0 || after < 0) throw new Error("the text has no marks for the table of record fields");
  return `${text.slice(0, before)}${BEGIN}\n${table(recordFieldRows())}\n${text.slice(after)}`;
}
