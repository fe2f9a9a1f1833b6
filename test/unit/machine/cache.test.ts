import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { cached, contents, keyOf } from "../../../tools/machine/cache.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "nixgate-cache-"));
  vi.stubEnv("XDG_CACHE_HOME", home);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true });
});

const make = (text: string) => async (folder: string) => writeFileSync(join(folder, "made"), text);
const never = async () => expect.unreachable();

test("what is in the cache under its key is not made again", async () => {
  const folder = await cached("image/a", "k1", make("one"));
  expect(await cached("image/a", "k1", never)).toBe(folder);
  expect(readFileSync(join(folder, "made"), "utf8")).toBe("one");
});

test("another key makes it again, and what nobody used since yesterday goes", async () => {
  const old = await cached("image/a", "k1", make("one"));
  const other = await cached("image/b", "k1", make("other"));
  const recent = await cached("image/a", "k2", make("two"));
  expect(existsSync(old)).toBe(true);
  const yesterday = new Date(Date.now() - 24 * 3600 * 1000);
  utimesSync(old, yesterday, yesterday);
  utimesSync(other, yesterday, yesterday);
  await cached("image/a", "k3", make("three"));
  expect([old, recent, other].map(existsSync)).toEqual([false, true, true]);
});

test("a failure leaves nothing under the final name, nor beside it", async () => {
  await expect(cached("image/a", "k1", () => Promise.reject(new Error("full")))).rejects.toThrow("full");
  expect(readdirSync(join(home, "nixgate-machine/image"))).toEqual([]);
});

test.each([
  ["a name", "b", "1"],
  ["a content", "a", "2"],
])("the key changes with %s", async (_, name, text) => {
  const key = async (file: string, content: string) =>
    keyOf(...contents(await cached(`files/${file}`, content, async (to) => writeFileSync(join(to, file), content))));
  expect(await key(name, text)).not.toBe(await key("a", "1"));
});

test("the key changes with the border between two texts", () => {
  expect(keyOf("ab", "c")).not.toBe(keyOf("a", "bc"));
});
