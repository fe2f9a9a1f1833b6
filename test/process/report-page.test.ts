import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Cap } from "../../src/report/charts/chart-parts.ts";
import { reportPage } from "../../src/report/page/page.ts";
import { gatherReport, PARTS_MAX } from "../../src/report/report.ts";
import { escapeText } from "../../src/units/text.ts";
import { bodies, sessionLines } from "../support/records.ts";
import { HOSTILE, told, wholeOf } from "../support/report-sessions.ts";

const NOW = Date.parse("2026-01-06T00:00:00Z");
const DIGEST = bodies.start.policy.sha256;

async function pageOf(
  sessions: readonly { readonly lines: readonly string[] }[],
  caps: Record<string, Cap> = {},
  more = {},
) {
  const question = { filters: [] };
  const gathering = gatherReport(question, NOW);
  for (const { lines } of sessions) gathering.add(wholeOf(lines));
  const facts = { question, now: NOW, version: "0.1.0", archive: "/log", problems: { shown: [], count: 0 } };
  let page = "";
  for await (const piece of reportPage(gathering.result(), { ...facts, caps: new Map(Object.entries(caps)), ...more }))
    page += piece;
  return page;
}

const all = await pageOf(Object.values(told));
const text = (page: string) =>
  page
    .replace(/<(style|script)>[\s\S]*?<\/\1>/g, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ");

test("the policy holds the digests of the very style and script that are in the page", () => {
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(all)?.[1] ?? "";
  for (const [name, directive] of [
    ["style", "style-src"],
    ["script", "script-src"],
  ]) {
    const inner = new RegExp(`<${name}>([\\s\\S]*?)</${name}>`).exec(all)?.[1] ?? "";
    expect(policy).toContain(`${directive} 'sha256-${createHash("sha256").update(inner).digest("base64")}'`);
  }
  expect(policy).toMatch(/^default-src 'none';/);
  expect(policy).not.toContain("unsafe");
});

test("nothing comes from elsewhere, and no attribute holds a style or a script", () => {
  const links = [...all.matchAll(/(?:src|href|action)="([^"]*)"/g)].map(([, to]) => to as string);
  expect(links.filter((to) => !to.startsWith("#") && to !== "data:,")).toEqual([]);
  expect(all).not.toMatch(/<[^>]*\s(?:style|on\w+)=/);
  expect(all.match(/<script/g)).toHaveLength(1);
});

test("each session has a row that leads to its part, with its story and every field", () => {
  for (const { session, lines } of Object.values(told)) {
    expect(all).toContain(`<a href="#s-${session}">`);
    const part = new RegExp(`<article id="s-${session}"[\\s\\S]*?</article>`).exec(all)?.[0] ?? "";
    expect(part.match(/<li>/g)).toHaveLength(lines.length);
    for (const line of lines) expect(part).toContain(JSON.parse(line).hash);
  }
});

test("hostile text is on the page, as text", () => {
  expect(all).not.toContain("<img");
  expect(all).not.toContain(HOSTILE);
  expect(all).toContain("&lt;img src=x onerror=alert(2)&gt;\\u{202e}");
});

test("no text of a record reaches the page raw, the charts' neither", async () => {
  const member = "\u001b]0;x\u0007\u009b\u202e\u200b\u{e0041}";
  const { run, ran } = bodies;
  const limits = { asked: { MemoryMax: member }, applied: { MemoryMax: "1073741824" } };
  const usage = { cpu_ms: 5, memory_peak_bytes: 5 };
  const said = [{ ...bodies.start, member }, { ...bodies.deny, reason: "malformed" } as const, { ...run, limits }];
  const page = await pageOf([sessionLines("2026-01-05T03:12:00Z", [...said, { ...ran, usage }, bodies.end])]);
  expect(page.match(/<svg/g)?.length).toBeGreaterThan(3);
  expect(page.match(/<text[^>]*>alpha\/\\u\{1b\}/g)?.length).toBeGreaterThan(1);
  expect(page.replaceAll("\n", "")).toBe(escapeText(page.replaceAll("\n", "")));
});

test("what deserves a look is said, with its number", () => {
  expect(text(all)).toContain("1 session (oom) reached a memory limit");
  expect(text(all)).toContain("1 session has no end on record and nobody serves it");
  expect(text(all)).toContain("3 refusals in 6 sessions, most often not-allowlisted (2).");
});

describe("the cap", () => {
  const cap = (sessions: number, sha256 = DIGEST) => pageOf([told.usual], { alpha: { sessions, sha256 } }).then(text);
  test("is drawn and named where the policy is known", async () => expect(await cap(8)).toContain("is 8 (dashed)."));
  test("is said to be today's where the policy was another", async () =>
    expect(await cap(8, "0".repeat(64))).toContain("is 8 (dashed) now; the policy was another one then."));
  test("that was reached deserves a look", async () => {
    expect(await cap(1)).toContain("The cap of alpha, 1 session at one time, was reached.");
    expect(await cap(2)).not.toContain("The cap of alpha");
  });
  test("that is unknown is no number", async () =>
    expect(text(await pageOf([told.usual]))).toContain("the cap is not known here"));
});

test("sessions without limits, CPU time or peaks make a page too", async () => {
  const page = text(await pageOf([told.bare]));
  expect(page).toContain("No command here had both a memory limit in force and a peak on record.");
  expect(page).toContain("No CPU time is on record here.");
});

test("what could not be read is said on the page", async () => {
  const problems = { shown: ["/log/alpha/2026-01-05.jsonl:1: torn <b>"], count: 3 };
  expect(await pageOf([told.usual], {}, { problems })).toMatch(/torn &lt;b&gt;[\s\S]*and 2 more/);
});

test("a session with very many records shows its first and last ones and says what is left out", async () => {
  const many = sessionLines("2026-01-05T03:12:00Z", [
    bodies.start,
    ...Array.from({ length: 500 }, () => bodies.deny),
    bodies.end,
  ]);
  const page = await pageOf([many]);
  expect(text(page)).toContain(`422 records left out here: nixgate sessions show ${many.session}`);
  expect(page.match(/<table><caption>/g)).toHaveLength(80);
});

test("of very many sessions the newest have a part, and figures are of all", async () => {
  const many = Array.from({ length: PARTS_MAX + 500 }, (_, index) =>
    sessionLines(Date.parse("2026-01-01T00:00:00Z") + index * 1000, [
      bodies.start,
      { ...bodies.end, commands: 0, denied: 0 },
    ]),
  );
  const page = await pageOf(many);
  expect(page.match(/<article /g)).toHaveLength(PARTS_MAX);
  expect(page).toContain(many.at(-1)?.session);
  expect(page).not.toContain(many[0]?.session);
  expect(text(page)).toContain("The newest 2,000 of 2,500 sessions; figures and charts above are of all.");
  expect(text(page)).toMatch(/Sessions 2,500/);
});

test("members have a row with what they did and used", async () => {
  const page = await pageOf([told.usual, told.refused, told.killed]);
  const table = /<table class="members">[\s\S]*?<\/table>/.exec(page)?.[0] ?? "";
  expect(text(table)).toContain("alpha/ci 2 1 2 ");
  expect(text(table)).toContain("3.1 s 812 MiB");
});

test("a forged duration or day breaks neither the page nor the others' part in it", async () => {
  const forged = told.killed.lines.map((line) =>
    JSON.stringify({ ...JSON.parse(line), wall_ms: Number.MAX_SAFE_INTEGER }),
  );
  const page = await pageOf([told.usual, { lines: forged.map((line) => `${line}\n`) }]);
  expect(page.match(/<article /g)).toHaveLength(2);
  expect(page).not.toMatch(/NaN|Invalid Date/);
});
