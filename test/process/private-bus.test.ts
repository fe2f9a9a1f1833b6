import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { createConnection, type DBusConnection, type Message } from "dbus-native";
import { expect, onTestFinished, test } from "vitest";
import { systemManager } from "../../src/supervisor/systemd/system-manager.ts";
import { toPid } from "../../src/units/ids.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { waitFor } from "../support/wait-for.ts";

const PATH = "/org/freedesktop/systemd1";
const INTERFACE = "org.freedesktop.systemd1.Manager";
const UNIT = "nixgate-alpha-x-1.scope";
const scope = { name: UNIT, slice: "nixgate-alpha.slice", description: "", properties: [], pid: toPid(1) };

/** The other end of the socket, as far as D-Bus goes; each test says what systemd is to do. */
function peer(answers: (call: Message, connection: DBusConnection, socket: Socket) => void) {
  const path = join(temporaryFolder("bus"), "private");
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const connection = createConnection({ stream: socket, server: true });
    connection.on("error", () => {});
    connection.on("message", (call) => answers(call, connection, socket));
  });
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  onTestFinished(close);
  return { path, close, listen: () => new Promise<void>((done) => server.listen(path, done)), sockets };
}

let serial = 1000;
const reply = (call: Message, signature: string, body: unknown[]): Message => ({
  type: 2,
  ...{ serial: ++serial, replySerial: call.serial as number, signature, body },
});
const failure = (call: Message, errorName: string): Message => ({
  type: 3,
  ...{ serial: ++serial, replySerial: call.serial as number, errorName },
});
const signal = (member: string, signature?: string, body?: unknown[]): Message => ({
  type: 4,
  ...{ serial: ++serial, path: PATH, interface: INTERFACE, member },
  ...(signature === undefined ? {} : { signature, body: body ?? [] }),
});
const removed = (result: string) => signal("JobRemoved", "uoss", [7, "/org/freedesktop/systemd1/job/7", UNIT, result]);

test("no message ends the process: a foreign message is logged, and the next is read", async () => {
  const hostile = [
    signal("JobRemoved"),
    signal("JobRemoved", "s", ["nixgate-"]),
    signal("JobRemoved", "uos", [1, PATH, UNIT]),
    signal("JobRemoved", "(uoss)", [[1, PATH, UNIT, "failed"]]),
    signal("JobRemoved", "uoas", [1, PATH, ["nixgate-x"]]),
    signal("Reloading", "b", [true]),
  ];
  const there = peer((call, connection) => {
    if (call.member !== "StartTransientUnit") return;
    for (const message of hostile) connection.message(message);
    connection.message(reply(call, "o", ["/org/freedesktop/systemd1/job/7"]));
    connection.message(removed("done"));
  });
  await there.listen();
  const warnings: string[] = [];
  const manager = await systemManager((message) => warnings.push(message), there.path);
  await manager.startScope(scope);
  expect(warnings).toEqual(Array(5).fill("a message of systemd could not be read"));
});

test("a start that systemd says has failed, has failed", async () => {
  const there = peer((call, connection) => {
    if (call.member !== "StartTransientUnit") return;
    connection.message(removed("failed")); // the signal may come first
    connection.message(reply(call, "o", ["/org/freedesktop/systemd1/job/7"]));
  });
  await there.listen();
  const manager = await systemManager(() => {}, there.path);
  await expect(manager.startScope(scope)).rejects.toThrow(`systemd said failed of the start of ${UNIT}`);
});

test("a message that is too long ends the connection, and the next call makes another", async () => {
  let calls = 0;
  const there = peer((call, connection, socket) => {
    calls += 1;
    // the header of a signal of 100 MiB
    if (calls === 1) socket.write(Buffer.from([108, 4, 0, 1, 0, 0, 0x40, 6, 1, 0, 0, 0, 16, 0, 0, 0]));
    else connection.message(reply(call, "", []));
  });
  await there.listen();
  const manager = await systemManager(() => {}, there.path);
  await manager.setProperties("nixgate-alpha.slice", []).catch(() => {});
  await manager.setProperties("nixgate-alpha.slice", []);
  expect(calls).toBeGreaterThan(1);
});

test("systemd may execute itself anew while it makes a scope: the scope is made once, and found", async () => {
  const members: string[] = [];
  const there = peer((call, _connection, socket) => {
    members.push(call.member ?? "");
    socket.destroy(); // the answer is lost
  });
  const { path } = there;
  await there.listen();
  const manager = await systemManager(() => {}, path);
  const started = manager.startScope(scope);
  await waitFor("the first call", () => members.length > 0);
  there.close();
  const second = createServer((socket) => {
    const connection = createConnection({ stream: socket, server: true });
    connection.on("error", () => {});
    connection.on("message", (call) => {
      members.push(call.member ?? "");
      if (call.member === "StartTransientUnit")
        connection.message(failure(call, "org.freedesktop.systemd1.UnitExists"));
      else connection.message(reply(call, "v", [["s", "active"]]));
    });
  });
  onTestFinished(() => void second.close());
  await new Promise((resolve) => setTimeout(resolve, 300)); // nobody listens meanwhile
  await new Promise<void>((done) => second.listen(path, done));
  await started;
  expect(members).toEqual(["StartTransientUnit", "StartTransientUnit", "Get"]);
});

test("a unit of that name that was there before is not taken for one's own", async () => {
  const there = peer((call, connection) => connection.message(failure(call, "org.freedesktop.systemd1.UnitExists")));
  await there.listen();
  const manager = await systemManager(() => {}, there.path);
  await expect(manager.startScope(scope)).rejects.toThrow("UnitExists");
});
