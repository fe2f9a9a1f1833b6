import type { TopLevelSpec } from "vega-lite";
import type { Concurrency } from "./concurrency.ts";
import { type Range, timeEncoding } from "./time-axis.ts";
import type { Bar } from "./timeline.ts";

const ROW_HEIGHT = 22;
const SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json";

/** A bar of the timeline with its row's name. */
export interface DrawnBar extends Bar {
  readonly name: string;
}

/** The axis of the rows' names. Records can hold names of any length, so each is cut to leave room for the picture. */
function rowAxis(names: readonly string[], width: number) {
  const most = width > 400 ? 30 : 19;
  return {
    field: "name",
    type: "nominal" as const,
    title: null,
    scale: { domain: [...names] },
    axis: {
      ticks: false,
      domain: false,
      labelPadding: 8,
      labelExpr: `length(datum.label) > ${most} ? substring(datum.label, 0, ${most - 1}) + "…" : datum.label`,
    },
  };
}

export const timelineSpec = (bars: readonly DrawnBar[], names: readonly string[], range: Range, width: number) =>
  ({
    $schema: SCHEMA,
    width,
    height: names.length * ROW_HEIGHT,
    data: { values: bars.map((bar) => ({ ...bar, colour: `var(--${bar.outcome})` })) },
    mark: { type: "bar", height: 12, cornerRadius: 1.5 },
    encoding: {
      x: timeEncoding(range, width),
      x2: { field: "end" },
      y: rowAxis(names, width),
      color: { field: "colour", type: "nominal", scale: null },
    },
  }) as TopLevelSpec;

export function concurrencySpec({ peak, steps }: Concurrency, cap: number | undefined, range: Range, width: number) {
  const top = Math.max(peak, cap ?? 0, 1);
  const x = timeEncoding(range, width);
  const y = {
    field: "count",
    type: "quantitative",
    title: null,
    scale: { domain: [0, top * 1.08], nice: false },
    axis: { tickCount: Math.min(4, top), format: "d", tickMinStep: 1 },
  };
  const edge = { color: "var(--accent)", strokeWidth: 1.5, opacity: 1 };
  const area = {
    mark: { type: "area", interpolate: "step-after", color: "var(--accent)", opacity: 0.2, line: edge },
    encoding: { x, y },
  };
  const rule = {
    data: { values: [{ count: cap }] },
    mark: { type: "rule", color: "var(--limit)", strokeDash: [5, 3], strokeWidth: 1.5 },
    encoding: { y },
  };
  return {
    $schema: SCHEMA,
    width,
    height: 110,
    data: { values: [...steps] },
    layer: [area, ...(cap === undefined ? [] : [rule])],
  } as TopLevelSpec;
}

/** A count, or a sum, for one name. */
export interface Amount {
  readonly name: string;
  readonly value: number;
  /** The value in words, at the bar's end. */
  readonly words: string;
  /** The name of a CSS variable of the page. */
  readonly colour: string;
}

export function amountsSpec(amounts: readonly Amount[], width: number) {
  const names = amounts.map(({ name }) => name);
  const y = rowAxis(names, width);
  const most = Math.max(...amounts.map(({ value }) => value), 1);
  const x = {
    field: "value",
    type: "quantitative",
    axis: null,
    // room for the words after the longest bar
    scale: { domain: [0, most * (width > 400 ? 1.3 : 1.6)], nice: false },
  };
  return {
    $schema: SCHEMA,
    width,
    height: amounts.length * 24,
    data: { values: amounts.map((amount) => ({ ...amount, colour: `var(--${amount.colour})` })) },
    layer: [
      {
        mark: { type: "bar", height: 14, cornerRadiusEnd: 2 },
        encoding: { x, y, color: { field: "colour", type: "nominal", scale: null } },
      },
      {
        mark: { type: "text", align: "left", dx: 6, fontSize: 12, color: "var(--ink)" },
        encoding: { x, y, text: { field: "words" } },
      },
    ],
  } as TopLevelSpec;
}

export interface DrawnPoint {
  readonly start: number;
  readonly share: number;
  readonly href?: string;
}

export function memorySpec(points: readonly DrawnPoint[], range: Range, width: number) {
  const y = {
    field: "share",
    type: "quantitative",
    title: null,
    scale: { domain: [0, 1.08], nice: false },
    axis: { values: [0, 0.25, 0.5, 0.75, 1], format: "%" },
  };
  return {
    $schema: SCHEMA,
    width,
    height: 190,
    layer: [
      {
        data: { values: [{ share: 1 }] },
        mark: { type: "rule", color: "var(--limit)", strokeDash: [5, 3], strokeWidth: 1.5 },
        encoding: { y },
      },
      {
        data: {
          values: points.map((point) => ({ ...point, colour: point.share >= 0.9 ? "var(--limit)" : "var(--accent)" })),
        },
        mark: { type: "circle", size: 38, opacity: 0.65 },
        encoding: {
          x: timeEncoding(range, width),
          y,
          color: { field: "colour", type: "nominal", scale: null },
          href: { field: "href" },
        },
      },
    ],
  } as TopLevelSpec;
}
