import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Builder, startBuilder } from "../support/builder.ts";
import { startClient } from "../support/client.ts";
import { SERVE_SERVER, serveHello } from "../support/nix-protocol.ts";
import { processesWith } from "../support/processes.ts";
import { waitFor } from "../support/wait-for.ts";

/** A number that no other program's command line holds. */
const SECONDS = String(100_000_000 + process.pid);

let builder: Builder;
beforeAll(async () => {
  const deaf = `trap '' TERM HUP PIPE; sleep ${SECONDS} & sleep ${SECONDS}; sleep ${SECONDS}`;
  const rule = (request: string, run: readonly string[]) =>
    `[[allow]]\nrequest = ["${request}"]\nrun = ${JSON.stringify(run)}\n`;
  builder = await startBuilder({
    sshd: ({ forced }) => [`ForceCommand ${forced}`, "ClientAliveInterval 1", "ClientAliveCountMax 1"],
    policy: () =>
      [
        rule("sleep", ["/bin/sleep", SECONDS]),
        rule("deaf", ["/bin/sh", "-c", deaf]),
        rule("flood", ["/usr/bin/yes", SECONDS]),
        '[session]\nclient_gone_grace = "500ms"\nstop_timeout = "1s"\n',
      ].join(""),
  });
});
beforeEach(() => builder.mark());
afterAll(() => builder?.stop());

const nothingIsLeft = () => waitFor("the commands to be gone", () => processesWith(SECONDS).length === 0);

test("a client that is killed while the store is served leaves nothing behind", async () => {
  const client = startClient(builder, ["builder", "nix-store", "--serve", "--write"]);
  client.send(serveHello);
  expect((await client.receive(8)).subarray(0, 8)).toEqual(SERVE_SERVER);
  client.child.kill("SIGKILL");
  const [end] = await builder.awaitRecords("session.end");
  expect(["exit", "client-gone"]).toContain(end?.cause);
  await waitFor("nix-store to be gone", () => processesWith(builder.etc).length === 0);
});

test.each([
  { request: "sleep", who: "reads no stdin" },
  { request: "deaf", who: "ignores SIGTERM and has children that do" },
])("a command that $who does not outlive its client", async ({ request }) => {
  const client = startClient(builder, ["builder", request]);
  await waitFor("the command", () => processesWith(`sleep ${SECONDS}`).length > 0);
  client.child.kill("SIGKILL");
  const lost = performance.now();
  expect((await builder.awaitRecords("command.end"))[0]).toMatchObject({ cause: "client-gone" });
  await nothingIsLeft();
  expect(performance.now() - lost).toBeLessThan(5000); // grace and stop_timeout are 1.5 s, the rest is the machine's
});

test("a client that stalls is found by sshd's ClientAliveInterval, and its command ends", async () => {
  const client = startClient(builder, ["builder", "flood"]);
  await client.receive(1000);
  client.child.kill("SIGSTOP");
  const [end] = await builder.awaitRecords("command.end");
  expect(end).toMatchObject({ cause: "client-gone" });
  await nothingIsLeft();
  client.child.kill("SIGKILL");
});
