import { createRequire } from "node:module";
import { Duplex } from "node:stream";
import type { Message } from "dbus-native";
import fc from "fast-check";
import { z } from "zod/mini";
import { jobsOf } from "../../src/supervisor/systemd/jobs.ts";
import { type SystemManager, systemManager } from "../../src/supervisor/systemd/system-manager.ts";
import { stopsHeard } from "../../src/supervisor/systemd/unit-stops.ts";
import { toPid } from "../../src/units/ids.ts";
import { must, type Parser, parser } from "./parser.ts";
import { anyText } from "./texts.ts";

/** The library's own writer: the bytes that a sound peer would send. */
const { marshall } = createRequire(import.meta.url)("dbus-native/lib/message.js") as {
  marshall(message: object): Buffer;
};

const UNIT = "nixgate-alpha-x-1.scope";
const MANAGER = { path: "/org/freedesktop/systemd1", interface: "org.freedesktop.systemd1.Manager" };
const JOB = "/org/freedesktop/systemd1/job/7";
const UNIT_PATH = "/org/freedesktop/systemd1/unit/nixgate_2dalpha_2dx_2d1_2escope";
/** The calls of one case have the serials from 1 on. */
const replySerial = fc.nat(5);
const signal = (member: string, signature: string, body: unknown[], more = {}) =>
  fc.constant({ type: 4, serial: 9, ...MANAGER, member, signature, body, ...more });

/** What systemd says, sound: signals, replies of every shape that is asked for, errors. */
const sound = fc
  .oneof(
    signal("JobRemoved", "uoss", [7, JOB, UNIT, "done"]),
    signal("JobNew", "uos", [7, JOB, UNIT]),
    signal("Reloading", "b", [true]),
    signal("PropertiesChanged", "sa{sv}as", ["org.freedesktop.systemd1.Scope", [["Result", ["s", "timeout"]]], []], {
      ...{ path: UNIT_PATH, interface: "org.freedesktop.DBus.Properties" },
    }),
    fc
      .record({
        replySerial,
        answer: fc.constantFrom(
          ["", []],
          ["o", [JOB]],
          ["v", [["s", "active"]]],
          ["v", [["ay", Array(16).fill(7)]]],
          ["v", [["a(sv)", [["a", ["v", ["s", "b"]]]]]]],
          ["s", ["text"]],
        ),
      })
      .map(({ replySerial, answer: [signature, body] }) => ({ type: 2, serial: 9, replySerial, signature, body })),
    fc
      .record({ replySerial, errorName: fc.constantFrom("org.freedesktop.systemd1.UnitExists", "a.b") })
      .map((said) => ({ type: 3, serial: 9, ...said, signature: "s", body: ["no"] })),
    fc.constant({ type: 1, serial: 9, path: "/", interface: "org.freedesktop.DBus.Peer", member: "Ping" }),
  )
  .map((message) =>
    marshall({ ...message, replySerial: (message as { replySerial?: number }).replySerial || undefined }),
  );

const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  cut: fc.nat(8),
  put: fc.oneof(
    fc.constant(new Uint8Array(0)),
    fc.uint8Array({ maxLength: 8 }),
    fc
      .constantFrom([255, 255, 255, 255], [0, 0, 0, 128], [0, 0, 64, 0], [0, 0, 0, 0], [118], [97], [40])
      .map((some) => Uint8Array.from(some)),
  ),
});
/** Bytes of such messages with a few places changed, lengths in the headers among them. */
const bytes = fc
  .array(fc.tuple(sound, fc.array(change, { maxLength: 3 })), { minLength: 1, maxLength: 4 })
  .map((some) =>
    Buffer.concat(
      some.map(([message, changes]) =>
        changes.reduce((now, { at, cut, put }) => {
          const place = Math.floor(at * now.length);
          return Buffer.concat([now.subarray(0, place), put, now.subarray(place + cut)]);
        }, message),
      ),
    ),
  );

/** PID 1's end of the private socket, in this process: it agrees to the handshake, then says these bytes and goes. */
function peer(said: Buffer, pieces: number): Duplex {
  let asked = "";
  let isOver = false;
  const stream: Duplex = new Duplex({
    read() {},
    write(chunk: Buffer, _, done) {
      asked = isOver ? asked : asked + chunk.toString("latin1");
      if (asked.includes("AUTH")) stream.push("OK 0123456789abcdef\r\n");
      asked = asked.replace("AUTH", "");
      if (!isOver && asked.includes("BEGIN")) {
        isOver = true;
        setImmediate(() => {
          const size = Math.max(1, Math.ceil(said.length / pieces));
          for (let at = 0; at < said.length; at += size)
            if (!stream.destroyed) stream.push(said.subarray(at, at + size));
          setImmediate(() => stream.destroy());
        });
      }
      done();
    },
  });
  return stream;
}

/** The handshake is sound, so it fails only where this machine is too busy for so little patience. */
async function connected(stream: () => Duplex): Promise<SystemManager> {
  for (;;) {
    try {
      return await systemManager(() => {}, stream, NO_PATIENCE);
    } catch (error) {
      must(String(error).includes("does not answer"), `no connection: ${error}`);
    }
  }
}

/** No call is repeated within this time, in milliseconds. */
const NO_PATIENCE = 20;

export const busParsers: readonly Parser[] = [
  parser(
    "signals of systemd's",
    7,
    fc.record({
      interface: fc.constantFrom(MANAGER.interface, "org.freedesktop.DBus.Properties"),
      member: fc.constantFrom("JobRemoved", "JobNew", "PropertiesChanged"),
      path: fc.constantFrom(MANAGER.path, UNIT_PATH, undefined),
      body: fc.oneof(
        fc.anything(),
        fc.tuple(fc.nat(), anyText, fc.oneof(anyText, fc.constant(UNIT)), anyText),
        fc.tuple(anyText, fc.oneof(fc.anything(), fc.record({ Result: fc.anything() })), fc.anything()),
      ),
    }),
    (message) => {
      const stops = stopsHeard();
      stops.watch(UNIT, () => {});
      for (const { heard } of [jobsOf(), stops]) {
        try {
          heard(message as unknown as Message);
        } catch (error) {
          must(error instanceof z.core.$ZodError, `a body that nothing checked: ${error}`); // the connection tells and drops it
        }
      }
      must(["undefined", "string"].includes(typeof stops.resultOf(UNIT)), "a result that is no text");
    },
  ),
  parser(
    "messages on systemd's socket",
    0.5,
    fc.record({ bytes, pieces: fc.integer({ min: 1, max: 6 }) }),
    async (said) => {
      const stream = () => peer(said.bytes, said.pieces);
      const manager = await connected(stream);
      const stop = manager.onStop(UNIT, () => {});
      const scope = { name: UNIT, slice: "nixgate-alpha.slice", description: "", properties: [], pid: toPid(1) };
      const [invocation, stopped, ...done] = await Promise.allSettled([
        manager.invocationOf(UNIT),
        manager.stopOf(UNIT),
        manager.startScope(scope),
        manager.setProperties("nixgate-alpha.slice", []),
      ]);
      stop();
      const id = invocation.status === "fulfilled" ? invocation.value : "";
      must(id === undefined || /^[0-9a-f]{32}$/.test(id), "an invocation that is none");
      const by = stopped.status === "fulfilled" ? stopped.value : "";
      must([undefined, "killed-by-admin", "timeout", "oom"].includes(by as undefined), "an end that systemd has not");
      for (const one of done)
        if (one.status === "rejected")
          must(one.reason instanceof Error && one.reason.name === "ScopeUnavailable", `no refusal: ${one.reason}`);
    },
  ),
];
