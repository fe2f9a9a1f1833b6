import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

const page = readFileSync("docs/architecture.md", "utf8");
const table = page
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

test("docs/architecture.md has one row for every room of src, and no other row", () => {
  expect(table.map(({ room }) => room).sort()).toEqual([...new Set(files.map(roomOf))].sort());
});

test.each(table)("docs/architecture.md names each room once that $room may import, and only rooms", ({ allowed }) => {
  expect(allowed).toEqual([...new Set(allowed)]);
  expect(allowed.filter((room) => !rooms.has(room as string))).toEqual([]);
});

test.each(files)("src/%s imports only what its room may", (file) => {
  const source = readFileSync(join("src", file), "utf8");
  const imported = [...source.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map((match) =>
    normalize(join(dirname(file), match[1] as string)),
  );
  const allowed = [roomOf(file), ...(rooms.get(roomOf(file)) ?? [])];
  expect(imported.filter((path) => !allowed.includes(roomOf(path)))).toEqual([]);
});

test.each(files)("src/%s has at most 250 lines", (file) => {
  expect(readFileSync(join("src", file), "utf8").split("\n").length).toBeLessThanOrEqual(250);
});

/** What each file imports, also types alone and also when it is called. */
const importsOf = new Map(
  files.map((file) => {
    const paths = readFileSync(join("src", file), "utf8").matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g);
    return [file, [...paths].map(([, path]) => normalize(join(dirname(file), path as string)))];
  }),
);
const linesOf = (file: string) => readFileSync(join("src", file), "utf8").split("\n").length - 1;

/** The files that a file reaches by imports. */
function reachedFrom(first: string): Set<string> {
  const reached = new Set<string>();
  const queue = [...(importsOf.get(first) ?? [])];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    queue.push(...(importsOf.get(file) ?? []));
  }
  return reached;
}

test("no file imports itself by way of others", () => {
  expect(files.filter((file) => reachedFrom(file).has(file))).toEqual([]);
});

test("no room has more than a fifth of all lines, and half of all files have at most 70", () => {
  const all = files.reduce((sum, file) => sum + linesOf(file), 0);
  const shares = [...Map.groupBy(files, roomOf)].map(([room, own]) => {
    return { room, share: own.reduce((sum, file) => sum + linesOf(file), 0) / all };
  });
  expect(shares.filter(({ share }) => share > 0.2)).toEqual([]);
  expect(files.map(linesOf).sort((a, b) => a - b)[Math.floor(files.length / 2)]).toBeLessThanOrEqual(70);
});

test("a file below 20 lines has two importers at least, and a folder has at most 20 files", () => {
  const importers = (file: string) => files.filter((other) => importsOf.get(other)?.includes(file)).length;
  const entries = new Set(["main.ts", "main-session.ts"]);
  expect(files.filter((file) => !entries.has(file) && linesOf(file) < 20 && importers(file) < 2)).toEqual([]);
  const folders = [...Map.groupBy(files, dirname)];
  expect(folders.filter(([, { length }]) => length > 20).map(([folder]) => folder)).toEqual([]);
});

test("an exported name stands in one file only", () => {
  const declared = /^export (?:async )?(?:const|function\*?|class|interface|type)\*? (\w+)/gm;
  const names = files.flatMap((file) => {
    const own = [...readFileSync(join("src", file), "utf8").matchAll(declared)].map(([, name]) => name);
    return [...new Set(own)].map((name) => ({ name, file }));
  });
  const twice = [...Map.groupBy(names, ({ name }) => name).values()].filter(({ length }) => length > 1);
  expect(twice).toEqual([]);
});

/** The files that a file loads, by all imports but those of types alone. */
function loadedFrom(first: string): Set<string> {
  const loaded = new Set<string>();
  const queue = [first];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (loaded.has(file)) continue;
    loaded.add(file);
    const source = readFileSync(join("src", file), "utf8");
    for (const [, types, path] of source.matchAll(/^(?:import|export) (type )?[^;]*?from "(\.[^"]+)";/gms))
      if (types === undefined) queue.push(normalize(join(dirname(file), path as string)));
  }
  return loaded;
}

/** The sentence of docs/architecture.md about folders that a process of root's must not load, because accounts talk to it. */
const never = [...(/^Root's resident process never loads (.*)\.$/m.exec(page)?.[1] ?? "").matchAll(/`([\w/]+)`/g)].map(
  ([, folder]) => `${folder}/`,
);
const MOST_FILES = 170;

test("root's supervisor loads a bounded number of files, and none of the folders that docs/architecture.md forbids", () => {
  expect(never).toContain("commands/");
  const loaded = [...loadedFrom("supervisor/open.ts")];
  expect(loaded.filter((file) => never.some((folder) => file.startsWith(folder)))).toEqual([]);
  expect(loaded.length).toBeLessThanOrEqual(MOST_FILES);
});
