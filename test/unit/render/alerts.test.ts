import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CAUSES, REASONS } from "../../../src/record/vocabulary.ts";
import { ALERTS, renderAlerts } from "../../../src/render/alerts.ts";
import { METRIC_NAMES } from "../../../src/render/prometheus.ts";
import { tableUnder } from "../../support/markdown.ts";

/** Of node_exporter itself. test/process/render-prometheus.test.ts sees it come from a real one. */
const OF_NODE_EXPORTER = "node_textfile_mtime_seconds";

describe.each(ALERTS)("the alert $name", ({ expression }) => {
  test("names only metrics that nixgate writes, and at least one", () => {
    const named = expression.match(/\b(?:nixgate|node)_\w+/g) ?? [];
    expect(named.length).toBeGreaterThan(0);
    expect([...METRIC_NAMES, OF_NODE_EXPORTER]).toEqual(expect.arrayContaining(named));
  });

  test("names only reasons and causes that records have", () => {
    const words = [...expression.matchAll(/\b(?:reason|cause)=~?"([^"]*)"/g)].flatMap(([, text = ""]) =>
      text.split("|"),
    );
    expect([...REASONS, ...CAUSES]).toEqual(expect.arrayContaining(words));
  });
});

test("the file has only lines that a reader of YAML takes in one way, and each rule once", () => {
  const line =
    /^(?:#.*|groups:| {2}- name: nixgate| {4}rules:| {6}- alert: Nixgate\w+| {8}for: \d+[smhd]| {8}(?:labels|annotations):| {10}severity: \w+)$/;
  const quoted = /^ {8}expr: (".*")$|^ {10}(?:summary|next): (".*")$/;
  const lines = renderAlerts().trimEnd().split("\n");
  const strange = lines.filter((text) => {
    const [, expression, annotation] = quoted.exec(text) ?? [];
    const json = expression ?? annotation;
    return json === undefined ? !line.test(text) : typeof JSON.parse(json) !== "string";
  });
  expect(strange).toEqual([]);
  expect(new Set(ALERTS.map(({ name }) => name)).size).toBe(ALERTS.length);
});

test("docs/alerts.md has every alert with its severity, in the code's order", () => {
  const rows = tableUnder(readFileSync("docs/alerts.md", "utf8"), "alert").map(([name, severity]) => [name, severity]);
  expect(rows).toEqual(ALERTS.map(({ name, severity }) => [`\`${name}\``, severity]));
});
