import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "puppeteer-core";
import { beforeAll, describe, expect, test } from "vitest";
import { type Look, openBrowser, openPage, pixelsOf } from "../support/browser.ts";
import { busyArchive } from "../support/busy-archive.ts";
import { nixgate } from "../support/nixgate.ts";
import { bodies, sessionLines } from "../support/records.ts";
import { temporaryFolder, writeArchive } from "../support/temporary.ts";

const SESSIONS = 400;
const folder = temporaryFolder("report");
const HOSTILE = '"></td></script><script>alert(1)</script><img src=x onerror=alert(2)><svg onload=alert(3)>\u202e';
const hostile = sessionLines(
  "2026-01-05T07:00:00Z",
  [
    {
      ...bodies.start,
      member: HOSTILE,
      user: HOSTILE,
      client: { ip: HOSTILE, port: 1 },
      key: { type: HOSTILE, fingerprint: HOSTILE },
    },
    { ...bodies.deny, request: HOSTILE, rule: HOSTILE },
    { ...bodies.run, request: HOSTILE, argv: [HOSTILE] },
    bodies.ran,
    bodies.end,
  ],
  { host: HOSTILE },
);

let browser: Browser;
async function report(name: string, files: Readonly<Record<string, string>>, words: readonly string[] = []) {
  const file = join(folder, `${name}.html`);
  const place = ["--log-dir", writeArchive(files), "--config-dir", "test/fixtures/config"];
  const { status, stdout, stderr } = await nixgate(["sessions", "report", ...place, "-o", file, ...words]);
  expect({ status, stdout: stdout.toString(), stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
  return file;
}

let busy: string;
beforeAll(async () => {
  browser = await openBrowser();
  busy = await report("busy", busyArchive(SESSIONS));
});

/** Opens it, runs `use`, and expects that the page asked for nothing and said nothing. */
async function quietly<T>(file: string, look: Look, use: (page: Page) => Promise<T>): Promise<T> {
  const { page, said, requests } = await openPage(browser, file, look);
  try {
    const result = await use(page);
    expect({ said, requests }).toEqual({ said: [], requests: [`file://${file}`, "data:,"].slice(0, requests.length) });
    return result;
  } finally {
    await page.close();
  }
}

const ask = <T>(page: Page, words: string) => page.evaluate(words) as Promise<T>;
const shownRows = `[...document.querySelectorAll("#sessions tbody tr")].filter((row) => !row.hidden)`;
const column = (page: Page, index: number) =>
  ask<number[]>(page, `${shownRows}.map((row) => Number(row.cells[${index}].dataset.key))`);

test("the page is whole: every part, every session, charts that are seen", () =>
  quietly(busy, {}, async (page) => {
    expect(await ask(page, `[...document.querySelectorAll("h2")].map((h) => h.textContent)`)).toEqual([
      "What deserves a look",
      "Timeline",
      "Concurrency against the cap",
      "Denials and ends",
      "Who used most",
      "Memory peaks against limits",
      "All sessions",
      "Each session",
    ]);
    expect(await ask(page, `document.querySelectorAll("article").length`)).toBe(SESSIONS);
    expect(await ask(page, `${shownRows}.length`)).toBe(SESSIONS);
    const dangling = `[...document.querySelectorAll('a')].filter((a) => !document.getElementById(a.getAttribute("href").slice(1))).length`;
    expect(await ask(page, dangling)).toBe(0);
    expect(await ask(page, `document.body.innerText.includes("max_concurrent, is 8")`)).toBe(true);
  }));

test.each([
  ["Duration", 3],
  ["CPU", 6],
  ["Memory peak", 7],
])("a click on %s sorts by it, most first, and a second one the other way", (title, index) =>
  quietly(busy, {}, async (page) => {
    const button = await page.waitForSelector(`#sessions thead th:nth-child(${index + 1}) button`);
    await button?.click();
    const falling = await column(page, index);
    expect(falling).toEqual([...falling].sort((a, b) => b - a));
    expect(new Set(falling).size).toBeGreaterThan(10);
    const state = `[...document.querySelectorAll("#sessions th")].map((th) => [th.textContent, th.getAttribute("aria-sort")]).filter(([, sort]) => sort)`;
    expect(await ask(page, state)).toEqual([[title, "descending"]]);
    await button?.click();
    expect(await column(page, index)).toEqual(falling.toSorted((a, b) => a - b));
    expect(await ask(page, state)).toEqual([[title, "ascending"]]);
  }),
);

test("words and choices filter together, and the count says so", () =>
  quietly(busy, {}, async (page) => {
    await page.type("#filter-text", "OOM");
    const found = await ask<string[]>(page, `${shownRows}.map((row) => row.cells[2].textContent)`);
    expect(found.length).toBeGreaterThan(2);
    expect(new Set(found)).toEqual(new Set(["oom"]));
    expect(await ask(page, `document.getElementById("shown").textContent`)).toBe(`${found.length} of ${SESSIONS} rows`);
    await page.select(`select[name="team"]`, "beta");
    const who = await ask<string[]>(page, `${shownRows}.map((row) => row.cells[1].textContent)`);
    expect(who.length).toBeLessThan(found.length);
    expect(who.every((name) => name.startsWith("beta"))).toBe(true);
    await page.select(`select[name="outcome"]`, "well");
    expect(await ask(page, `${shownRows}.length`)).toBe(0);
  }));

test("without its script the page has every row, and no control that does nothing", () =>
  quietly(busy, { script: false }, async (page) => {
    expect(await page.$$("#sessions tbody tr")).toHaveLength(SESSIONS);
    expect(await (await page.$("#controls"))?.isVisible()).toBe(false);
    expect(await page.$$("#sessions thead button")).toHaveLength(0);
    expect(await (await page.$("#timeline ~ figure .wide svg"))?.isVisible()).toBe(true);
  }));

/** A dot lets 35% of the paper through. */
const schemes = {
  light: { accent: "#0072b2", dot: "#59a3cd", paper: "#ffffff" },
  dark: { accent: "#4aa8e0", dot: "#36759b", paper: "#12161c" },
} as const;
const looks = [
  [1200, "light"],
  [1200, "dark"],
  [800, "light"],
  [390, "light"],
  [390, "dark"],
  [320, "light"],
] as const;

describe.each(looks)("at a width of %i, %s", (width, scheme) => {
  test("charts are drawn in the scheme's colours", () =>
    quietly(busy, { width, scheme }, async (page) => {
      const { accent, dot, paper } = schemes[scheme];
      const kind = width > 1000 ? "wide" : width > 600 ? "medium" : "narrow";
      for (const [part, colour] of [
        ["#timeline", accent],
        ["#concurrency", accent],
        ["#memory", dot],
      ]) {
        const chart = `section:has(${part}) figure .${kind} svg`;
        expect(await pixelsOf(browser, page, chart, colour as string), part).toBeGreaterThan(150);
        expect(await pixelsOf(browser, page, chart, paper), part).toBeGreaterThan(5000);
      }
    }));

  test("nothing sticks out of the page, and no label of a chart is cut off", () =>
    quietly(busy, { width, scheme }, async (page) => {
      expect(await ask(page, "document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
      const cut = `[...document.querySelectorAll("svg text")].filter((text) => {
        const box = text.getBoundingClientRect();
        return box.width > 0 && text.getAttribute("opacity") !== "0" && (box.left < 0 || box.right > innerWidth);
      }).map((text) => text.textContent)`;
      expect(await ask(page, cut)).toEqual([]);
      const overlaps = `[...document.querySelectorAll("svg")].flatMap((svg) => {
        const boxes = [...svg.querySelectorAll("text")].filter((text) => text.getAttribute("opacity") !== "0")
          .map((text) => ({ text: text.textContent, box: text.getBoundingClientRect() })).filter(({ box }) => box.width > 0);
        return boxes.flatMap(({ text, box }, index) => boxes.slice(index + 1).filter((other) =>
          box.left < other.box.right - 1 && other.box.left < box.right - 1 && box.top < other.box.bottom - 2 && other.box.top < box.bottom - 2,
        ).map((other) => text + " / " + other.text));
      })`;
      expect(await ask(page, overlaps)).toEqual([]);
    }));
});

test("on paper it is light, without controls, and the script's part is not needed", () =>
  quietly(busy, { scheme: "dark" }, async (page) => {
    await page.emulateMediaType("print");
    expect(await ask(page, "getComputedStyle(document.body).backgroundColor")).toBe("rgb(255, 255, 255)");
    expect(await (await page.$("#controls"))?.isVisible()).toBe(false);
    const pdf = await page.pdf({ format: "A4", pageRanges: "1" });
    expect(Buffer.from(pdf.subarray(0, 5)).toString()).toBe("%PDF-");
  }));

test("text of clients, keys and hosts is text on the page, wherever it stands", async () => {
  const file = await report("hostile", { "alpha/2026-01-05": hostile.lines.join("") });
  expect(readFileSync(file, "utf8")).not.toContain("\u202e");
  await quietly(file, {}, async (page) => {
    await page.click("details summary");
    expect(await ask(page, `document.querySelectorAll("img, iframe, svg[onload], body script + script").length`)).toBe(
      0,
    );
    expect(await ask(page, "document.scripts.length")).toBe(1);
    const shown = await ask<string>(page, "document.body.innerText");
    expect(shown.split("<img src=x onerror=alert(2)>").length).toBeGreaterThan(8);
    expect(await ask(page, `document.querySelectorAll("#sessions tbody tr").length`)).toBe(1);
  });
});

test("the page's policy lets no other script and no other style run", async () => {
  const { page, said } = await openPage(browser, busy);
  const add = (name: string, text: string) =>
    ask(
      page,
      `{ const it = document.createElement("${name}"); it.textContent = ${JSON.stringify(text)}; document.head.append(it); }`,
    );
  await add("script", "window.ran = true");
  await add("style", "body { background: rgb(1, 2, 3) !important }");
  await ask(page, `{ const it = new Image(); it.src = "http://127.0.0.1:9/x.png"; document.body.append(it); }`);
  expect(await ask(page, "[window.ran === undefined, getComputedStyle(document.body).backgroundColor]")).toEqual([
    true,
    "rgb(255, 255, 255)",
  ]);
  expect(said.filter((words) => words.includes("Content Security Policy"))).toHaveLength(3);
  await page.close();
});

test("the page says in words that there is no session", async () => {
  const file = await report("empty", { "alpha/2026-01-05": hostile.lines.join("") }, ["--team", "gamma"]);
  await quietly(file, {}, async (page) => {
    const words = await ask<string>(page, "document.body.innerText");
    expect(words).toContain("No session on record matches");
    expect(words).toContain('--team "gamma"');
    expect(await page.$$("svg, table, nav")).toHaveLength(0);
  });
});

test("the file is for this account alone", () => expect(statSync(busy).mode & 0o777).toBe(0o600));
