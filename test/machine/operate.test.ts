import { once } from "node:events";
import { expect } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import { scopesOf, sleeping, test, text } from "./operator.ts";
import { edit } from "./policies.ts";
import { records, recordsOf } from "./records.ts";
import { startClient } from "./waiting-client.ts";

test("sessions top shows a running session with the figures of its cgroup", async ({ builder }) => {
  const { ended, session } = await sleeping(builder);
  const top = JSON.parse(await text(builder, "nixgate sessions top --once --json"));
  expect(JSON.stringify(top)).toContain(session);
  const table = await text(builder, "nixgate sessions top --once");
  expect(table).toContain("alpha");
  expect(table).toContain("wait");
  await builder.asRoot("pkill -u nix-alpha -x sleep");
  await ended;
});

test("sessions kill ends a running session, and its record and its client name the administrator", async ({
  builder,
}) => {
  const { ended, session } = await sleeping(builder);
  const killed = await builder.asRoot(`nixgate sessions kill ${session}`);
  expect(killed.exitCode, `${killed.stderr}`).toBe(0);
  const { exitCode, stderr } = await ended;
  expect(exitCode).toBe(143);
  expect(`${stderr}`).toContain("ended by the administrator");
  const own = (await records(builder, "alpha")).filter((record) => record.session === session);
  expect(own.at(-1)).toMatchObject({ event: "session.end", cause: "killed-by-admin" });
  await waitFor("no scope", async () => (await scopesOf(builder)) === "", 3000);
});

test("a policy that changes during a session applies to the next session", async ({ builder }) => {
  const begun = async () => (await recordsOf(builder, "alpha", "command.start")).at(-1);
  const ends = async () => (await recordsOf(builder, "alpha", "command.end")).length;
  using client = startClient(builder);
  const askAgain = async () => {
    const before = await ends();
    client.stdin?.write("second\n");
    await waitFor("the command's end", async () => (await ends()) > before);
    expect((await begun())?.limits.applied).toMatchObject({ TasksMax: "64" });
  };
  await askAgain();
  await edit(builder, "alpha", 's/"second"/"third"/\ns/^TasksMax = 64/TasksMax = 40/');
  await askAgain();
  expect((await builder.ssh("nix-alpha", "second")).exitCode).toBe(77);
  expect((await builder.ssh("nix-alpha", "third")).exitCode).toBe(0);
  expect((await begun())?.limits.applied).toMatchObject({ TasksMax: "40" });

  await edit(builder, "alpha", "s/^TasksMax = 40/TasksMax = many/");
  await askAgain();
  expect((await builder.ssh("nix-alpha", "third")).exitCode).toBe(78);
  client.stdin?.end();
  expect(await once(client, "exit")).toEqual([0, null]);
  const sessions = (await recordsOf(builder, "alpha", "session.start")).slice(-4);
  expect(new Set(sessions.map(({ policy }) => policy?.sha256)).size).toBe(3);
  await edit(builder, "alpha", 's/"third"/"second"/\ns/^TasksMax = many/TasksMax = 64/');
});
