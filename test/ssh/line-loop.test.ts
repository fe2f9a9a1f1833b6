import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Builder, startBuilder } from "../support/builder.ts";
import { type Client, startClient } from "../support/client.ts";
import { SERVE_SERVER, serveHello, WORKER_SERVER, workerHello } from "../support/nix-protocol.ts";

let builder: Builder;
beforeAll(async () => {
  builder = await startBuilder({ policy: () => '[session]\nread_timeout = "2s"\n' });
});
beforeEach(() => builder.mark());
afterAll(() => builder?.stop());

const STARTED = Buffer.from("started\n");
const protocols = [
  { request: "nix-daemon --stdio", hello: workerHello, reply: WORKER_SERVER },
  { request: "nix-store --serve --write", hello: serveHello, reply: SERVE_SERVER },
] as const;

async function slowly(client: Client, bytes: Uint8Array): Promise<void> {
  for (const byte of bytes) {
    client.send(Uint8Array.of(byte));
    await sleep(3);
  }
}

/** Lix 2.93.0 sends the request `bash`, waits for the line `started`, then sends its request and the protocol at once. */
describe.each(protocols)("Lix 2.93.0's way to $request", ({ request, hello, reply }) => {
  test.each([
    { how: "in two writes", send: (client: Client, bytes: Uint8Array) => client.send(bytes) },
    { how: "byte by byte", send: slowly },
  ])("is understood $how", async ({ send }) => {
    const client = startClient(builder, ["builder", "bash"]);
    await send(client, Buffer.from("echo started\n"));
    expect(await client.receive(STARTED.length)).toEqual(STARTED);
    await send(client, Buffer.concat([Buffer.from(`exec ${request}\n`), hello]));
    const answered = await client.receive(STARTED.length + reply.length);
    expect(answered.subarray(STARTED.length, STARTED.length + reply.length)).toEqual(reply);
    client.child.stdin?.end();
    await client.answer;
    expect((await builder.awaitRecords("session.end"))[0]).toMatchObject({ commands: 1, denied: 0 });
  });
});

test("request and protocol may come in one write, with no answer in front of the protocol's", async () => {
  const client = startClient(builder, ["builder"]);
  client.send(Buffer.concat([Buffer.from("exec nix-store --serve --write\n"), serveHello]));
  expect((await client.receive(8)).subarray(0, 8)).toEqual(SERVE_SERVER);
});

test("a silent client of the line loop gets the greeting, and its session ends at the time limit", async () => {
  const client = startClient(builder, ["builder", "bash"]);
  const { status, stdout, stderr } = await client.answer;
  expect(status).toBe(65);
  expect(stdout.length).toBe(0);
  expect(stderr).toMatch(/^nixgate: you are of team alpha; .*\nnixgate: no request within 2 seconds \(session .*\n$/);
  expect((await builder.awaitRecords("command.deny"))[0]).toMatchObject({ reason: "read-timeout" });
});
