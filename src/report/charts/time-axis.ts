const MINUTE = 60_000;
const DAY = 86_400_000;

/** The page's range of time, in milliseconds since 1970. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** A range longer than zero. It has a small margin at each end that the user did not set. */
export function rangeOf(wanted: Partial<Range>, found: Range): Range {
  const air = Math.max((found.to - found.from) * 0.02, MINUTE);
  const from = wanted.from ?? found.from - air;
  return { from, to: Math.max(wanted.to ?? found.to + air, from + MINUTE) };
}

/**
 * An x axis in local time: hours where the range is short, days where it is long. The Vega expressions hold no data.
 */
export function timeEncoding({ from, to }: Range, width: number) {
  const atMidnight = "hours(datum.value) === 0 && minutes(datum.value) === 0";
  const days = "timeFormat(datum.value, '%-d %b')";
  const labelExpr =
    to - from > 10 * DAY
      ? days
      : `${atMidnight} ? ${days} : timeFormat(datum.value, '${to - from < 5 * MINUTE ? "%H:%M:%S" : "%H:%M"}')`;
  return {
    field: "start",
    type: "temporal" as const,
    title: null,
    scale: { domainMin: from, domainMax: to, nice: false },
    axis: { labelExpr, tickCount: Math.max(3, Math.round(width / 90)), grid: true },
  };
}
