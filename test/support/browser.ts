import { type Browser, launch, type Page } from "puppeteer-core";
import { afterAll } from "vitest";
import { temporaryFolder } from "./temporary.ts";

/** Debian's own, as scripts/setup.sh installs it. */
const CHROMIUM = "/usr/bin/chromium";

/** A headless Chromium with a profile of its own, which goes when the test file is done. */
export async function openBrowser(): Promise<Browser> {
  const browser = await launch({
    executablePath: CHROMIUM,
    userDataDir: temporaryFolder("chromium"),
    // Chromium's sandbox is made of namespaces and refuses root
    args: ["--disable-gpu", "--hide-scrollbars", ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])],
  });
  afterAll(() => browser.close());
  return browser;
}

/** A page that was opened, with all that it said on its console or asked for. */
export interface Opened {
  readonly page: Page;
  readonly said: readonly string[];
  readonly requests: readonly string[];
}

export interface Look {
  readonly width?: number;
  readonly scheme?: "light" | "dark";
  readonly script?: boolean;
}

export async function openPage(
  browser: Browser,
  file: string,
  { width = 1200, scheme = "light", script = true }: Look = {},
) {
  const page = await browser.newPage();
  const said: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  page.on("dialog", (dialog) => {
    said.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => requests.push(request.url()));
  await page.setJavaScriptEnabled(script);
  await page.setViewport({ width, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.goto(`file://${file}`);
  return { page, said, requests } satisfies Opened;
}

/** Runs in the browser: the pixels of a picture that have a colour, a unit up or down. */
const COUNT = `async (source, wanted) => {
  const image = new Image();
  image.src = source;
  await image.decode();
  const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  let found = 0;
  for (let at = 0; at < data.length; at += 4)
    if (wanted.every((value, index) => Math.abs(value - data[at + index]) <= 2)) found += 1;
  return found;
}`;

/**
 * How many pixels of a part of the page have a colour, counted by the browser itself in a picture of it.
 * @param colour `#rrggbb`
 */
export async function pixelsOf(browser: Browser, page: Page, selector: string, colour: string): Promise<number> {
  const part = await page.waitForSelector(selector, { visible: true });
  const picture = await part?.screenshot({ encoding: "base64" });
  const wanted = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  const blank = await browser.newPage();
  try {
    const words = [`data:image/png;base64,${picture}`, wanted].map((word) => JSON.stringify(word)).join(", ");
    return (await blank.evaluate(`(${COUNT})(${words})`)) as number;
  } finally {
    await blank.close();
  }
}
