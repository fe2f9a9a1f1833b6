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

/** What root's resident process loads, followed through imports that are not types alone. */
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

/** Reports, commands, terminals and the demo have no place in a process of root's that accounts talk to. */
const NEVER = /^(?:report|render|commands|cli|compose)\/|^system\/(?:terminal|demo)\//;
const MOST_FILES = 170;

test("what root's supervisor loads is bounded, and nothing of reports, commands or terminals", () => {
  const loaded = [...loadedFrom("supervisor/open.ts")];
  expect(loaded.filter((file) => NEVER.test(file))).toEqual([]);
  expect(loaded.length).toBeLessThanOrEqual(MOST_FILES);
});
