import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

const table = readFileSync("docs/architecture.md", "utf8")
  .split("\n")
  .map((line) => /^\| `([\w.-]+)` *\|.*\| ([^|]*)\|$/.exec(line))
  .filter((match) => match !== null)
  .map(([, room, allowed]) => ({
    room: room as string,
    allowed: [...(allowed as string).matchAll(/`(\w+)`/g)].map((m) => m[1]),
  }));
const rooms = new Map(table.map(({ room, allowed }) => [room, allowed]));

const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
const roomOf = (file: string) => file.split("/")[0] as string;

test("docs/architecture.md names every room of src, and no other", () => {
  expect([...rooms.keys()].sort()).toEqual([...new Set(files.map(roomOf))].sort());
});

test.each(files)("src/%s imports only what its room may", (file) => {
  const source = readFileSync(join("src", file), "utf8");
  const imported = [...source.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map((match) =>
    normalize(join(dirname(file), match[1] as string)),
  );
  if (file === roomOf(file)) return; // main.ts, main-session.ts
  const allowed = [roomOf(file), ...(rooms.get(roomOf(file)) ?? [])];
  expect(imported.filter((path) => !allowed.includes(roomOf(path)))).toEqual([]);
});

test.each(files)("src/%s can be read at one sitting", (file) => {
  expect(readFileSync(join("src", file), "utf8").split("\n").length).toBeLessThanOrEqual(250);
});
