import { execFileSync } from "node:child_process";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import type { Slot } from "../../src/session/ports.ts";
import { createSlots } from "../../src/standalone/slots.ts";

let names = 0;
const newName = () => `test-${process.pid}-${names++}@0123456789ab`;

const take = async (name: string, most: number, listing?: () => string) => {
  const place = await createSlots(listing)(name, most);
  onTestFinished(() => place?.giveBack());
  return place;
};

test("as many places are given as there are, also by those who see none taken", async () => {
  const name = newName();
  const places = await Promise.all(Array.from({ length: 20 }, () => take(name, 5, () => "")));
  expect(places.filter((place) => place !== undefined).length).toBe(5);
});

test("a place that is given back is free at once", async () => {
  const name = newName();
  const first = await take(name, 1);
  expect(await take(name, 1)).toBeUndefined();
  first?.giveBack();
  expect(await take(name, 1)).toBeDefined();
});

test("when a configuration has become smaller, those who are there still count", async () => {
  const name = newName();
  const held = new Map<number, Slot | undefined>();
  for (let number = 0; number < 4; number += 1) held.set(number, await take(name, 4));
  held.get(0)?.giveBack();
  held.get(1)?.giveBack();
  expect(await take(name, 2)).toBeUndefined();
  expect(await take(name, 3)).toBeDefined();
});

test("a name is no service: who connects is turned away, and nobody is listed twice", async () => {
  const name = newName();
  await take(name, 1);
  const socket = connect(`\0nixgate/${name}/0`);
  await new Promise((resolve) => socket.once("close", resolve).once("error", () => undefined));
  expect(await take(name, 2)).toBeDefined();
  expect(await take(name, 2)).toBeUndefined();
});

test("a place keeps no process alive", () => {
  const script = `import("./src/standalone/slots.ts").then(({ createSlots }) => createSlots()("${newName()}", 1))
    .then((place) => console.log(place === undefined ? "full" : "held"))`;
  const said = execFileSync(process.execPath, ["-e", script], { encoding: "utf8", timeout: 10_000 });
  expect(said).toBe("held\n");
});
