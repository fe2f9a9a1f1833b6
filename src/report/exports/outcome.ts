import type { Summary } from "../../archive/sessions/summary.ts";
import type { RecordCause } from "../../record/vocabulary.ts";
import { causeWords } from "../../record/wording.ts";
import { type Html, html } from "../page/html.ts";

/** The outcomes of a session, with the page's words and colours. The first that fits applies. */
export const OUTCOMES = {
  running: "running",
  failed: "lost or failed",
  limit: "stopped by a limit",
  ended: "ended from outside",
  denied: "denied or refused",
  well: "ended by itself",
} as const;
export type OutcomeName = keyof typeof OUTCOMES;

const CAUSES: Readonly<Record<Exclude<RecordCause, "exit">, OutcomeName>> = {
  "supervisor-lost": "failed",
  "scope-failed": "failed",
  "exec-failed": "failed",
  internal: "failed",
  oom: "limit",
  "tasks-limit": "limit",
  timeout: "limit",
  signal: "ended",
  "client-gone": "ended",
  "killed-by-admin": "ended",
};

export function outcomeOf({ state, causes, reasons }: Summary): OutcomeName {
  if (state !== "ended") return state === "running" ? "running" : "failed";
  const found = causes.flatMap((cause) => (cause === "exit" ? [] : [CAUSES[cause]]));
  const worst = (["failed", "limit", "ended"] as const).find((outcome) => found.includes(outcome));
  return worst ?? (reasons.length > 0 ? "denied" : "well");
}

/** The words for a session's end in its row: causes other than `exit`, and reasons; otherwise its state. */
export function endWords(summary: Summary): readonly string[] {
  const { state, reasons, exit } = summary;
  if (state !== "ended") return [state];
  const notable = [...causeWords(summary), ...reasons];
  return notable.length > 0 ? notable : [`exit ${exit}`];
}

/** A session's end with the mark of its outcome. No word breaks at its dashes. */
export const endMark = (summary: Summary): Html =>
  html`<span class="dot is-${outcomeOf(summary)}">${endWords(summary).map((word, index) => html`${index > 0 && ", "}<span class="nb">${word}</span>`)}</span>`;
