import * as vega from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { escapeText } from "../../units/text.ts";
import { escapeHtml, Html } from "../page/html.ts";

/** Colours are CSS variables of the page, so that a chart follows the page's light or dark style. */
const CONFIG = {
  background: "transparent",
  font: "system-ui, sans-serif",
  padding: 2,
  aria: false,
  // the picture's width includes its labels
  autosize: { type: "fit-x", contains: "padding" },
  view: { stroke: null },
  axis: {
    labelColor: "var(--soft)",
    labelFontSize: 12,
    labelLimit: 220,
    titleColor: "var(--soft)",
    titleFontWeight: "normal",
    gridColor: "var(--line)",
    domainColor: "var(--line)",
    tickColor: "var(--line)",
  },
} as const;

const NARROW = /[fijlrtI1.,:;'|/ -]/;
const WIDE = /[A-Z%mwMW@\u00ff-\u{10ffff}]/u;

/**
 * Vega has no canvas here to measure text with. The widths are those of DejaVu Sans, which is wider than most systems'
 * fonts.
 */
function textWidth({ fontSize = 11 }: { fontSize?: number }, text: unknown): number {
  const widths = [...String(text)].map((letter) => (NARROW.test(letter) ? 0.37 : WIDE.test(letter) ? 0.85 : 0.63));
  return fontSize * widths.reduce((sum, width) => sum + width, 0);
}

/** vega-scenegraph exports this object; vega's types lack it. */
const metrics = (vega as unknown as { readonly textMetrics: object }).textMetrics;

/** The longest text in a chart, in characters, since no picture has room for more. */
const TEXT_MAX = 500;

/** The same spec with every text escaped: a name in a record is any text that an account wrote. */
function safe<T>(value: T): T {
  if (typeof value === "string") return cut(escapeText(value)) as T;
  if (Array.isArray(value)) return value.map(safe) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, safe(one)])) as T;
}
const cut = (text: string) => (text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text);

/** A chart as static SVG. Vega escapes text and attributes; nothing in a spec is an expression that holds data. */
export async function draw(spec: TopLevelSpec, label: string): Promise<Html> {
  Object.assign(metrics, { width: textWidth });
  const view = new vega.View(vega.parse(compile({ ...safe(spec), config: CONFIG } as TopLevelSpec).spec), {
    renderer: "none",
  });
  try {
    const svg = await view.toSVG();
    // links are for the mouse: a keyboard user has the same links in the table, without a thousand tab stops
    const links = svg.replaceAll("<a xlink:href=", '<a tabindex="-1" href=');
    return new Html(links.replace("<svg ", `<svg role="img" aria-label="${escapeHtml(label)}" `));
  } finally {
    view.finalize();
  }
}
