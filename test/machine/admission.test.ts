import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect } from "vitest";
import { runFolder } from "../../tools/machine/state.ts";
import { waitFor } from "../support/wait-for.ts";
import { awaitNothing, killNixgate, lineOf } from "./hostile.ts";
import { supervised } from "./managers.ts";
import { edit, editHost, restorePolicies } from "./policies.ts";
import { recordsOf, sessionIn } from "./records.ts";
import { type Guest, test as plain } from "./support.ts";
import { startClient } from "./waiting-client.ts";

const test = plain.extend<{ builder: Guest }>({
  builder: [
    async ({ guest }, use) => {
      await restorePolicies(guest);
      await use(guest);
      await restorePolicies(guest);
    },
    { scope: "file" },
  ],
});

const clients: Disposable[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client[Symbol.dispose]();
});

/** Opens a line loop, which stays as long as its client. @returns "admitted", or the status it was turned away with */
async function knock(guest: Guest, user = "nix-alpha", options: string[] = []) {
  const client = startClient(guest, undefined, user, options);
  clients.push(client);
  client.stdin?.on("error", () => undefined).write("echo started\n");
  const said = text(client.stderr as Readable);
  const answer = await Promise.race([
    once(client.stdout as Readable, "data").then(() => "admitted" as const),
    once(client, "close").then(([status]) => status as number),
  ]);
  return { client, answer, said };
}

/** All over one connection: fifty key exchanges on the guest's one CPU would draw the moment out to half a minute. */
async function knockTimes(count: number, guest: Guest) {
  const path = join(runFolder(guest.state.name), "alpha.sock");
  const shared = (master: string) => ["-o", `ControlMaster=${master}`, "-o", `ControlPath=${path}`];
  if (!existsSync(path)) clients.push(startClient(guest, undefined, "nix-alpha", ["-N", ...shared("yes")]));
  await waitFor("the connection", () => existsSync(path));
  return Promise.all(Array.from({ length: count }, () => knock(guest, "nix-alpha", shared("no"))));
}

test("exactly 8 of 50 simultaneous starts are admitted, and kill -9 of these 8 frees their slots", async ({
  builder,
}) => {
  await edit(builder, "alpha", "s/^max_concurrent = .*/max_concurrent = 8/");
  const knocked = await knockTimes(50, builder);
  const turnedAway = knocked.filter(({ answer }) => answer === 75);
  expect(knocked.filter(({ answer }) => answer === "admitted")).toHaveLength(8);
  expect(turnedAway).toHaveLength(42);
  expect(lineOf(await (turnedAway[0]?.said ?? ""))).toBe("all 8 places of the team are taken; try again later");
  const refusals = await recordsOf(builder, "alpha", "session.refuse");
  expect(refusals.map(({ reason }) => reason)).toEqual(Array(42).fill("team-busy"));

  // While a shim becomes the program that reads its lines (execve(2)), it has no command line for pkill to know it by.
  const allRead = async () => {
    if (!supervised(builder)) return;
    const count = () => builder.asRoot("pgrep -c -u nix-alpha -f 'nixgate.cjs read-request'");
    await waitFor("all to read", async () => `${(await count()).stdout}`.trim() === "8", 30_000);
  };
  await allRead();
  await killNixgate(builder);
  // The kernel frees the places of sessions that serve themselves; a supervisor has to see first that their shims are gone.
  const freed = async (ends: number) => {
    if (!supervised(builder)) return;
    const ended = async () => (await recordsOf(builder, "alpha", "session.end")).length === ends;
    await waitFor("the ends", ended, 30_000);
  };
  await freed(50);
  const again = await knockTimes(9, builder);
  expect(again.map(({ answer }) => `${answer}`).sort()).toEqual(["75", ...Array(8).fill("admitted")]);
  await allRead();
  await killNixgate(builder);
  await freed(59);
  await awaitNothing(builder, 5000);
});

describe("the host's limits on admission", () => {
  const refused = async (guest: Guest, user: string, message: string, reason = "host-busy") => {
    const { answer, said } = await knock(guest, user);
    expect(answer).toBe(75);
    const line = await said;
    expect(lineOf(line)).toBe(message);
    const refusals = await recordsOf(guest, user.slice("nix-".length), "session.refuse");
    const own = refusals.find(({ session }) => session === sessionIn(line));
    expect(own).toMatchObject({ reason, message });
  };

  test("count the sessions of all teams", async ({ builder }) => {
    await editHost(builder, "s/^.admission.$/&\\nmax_sessions = 1/");
    const { answer, client } = await knock(builder);
    expect(answer).toBe("admitted");
    await refused(builder, "nix-gamma", "the one place of the host is taken; try again later");
    client.stdin?.end();
    await once(client, "close");
    expect((await knock(builder, "nix-gamma")).answer).toBe("admitted");
  });

  test("look at the memory that is available", async ({ builder }) => {
    await restorePolicies(builder);
    await editHost(builder, 's/^min_available_memory = .*/min_available_memory = "100G"/');
    await refused(builder, "nix-alpha", "the host has less than 100G of memory available; try again later");
  });

  test("look at the load", async ({ builder }) => {
    await restorePolicies(builder);
    await editHost(builder, "s/^max_load_per_cpu = .*/max_load_per_cpu = 0.01/");
    await waitFor(
      "some load",
      async () =>
        Number(
          (await builder.asRoot("i=0; while [ $i -lt 9999 ]; do i=$((i + 1)); done; cut -d' ' -f1 /proc/loadavg"))
            .stdout,
        ) > 0.1,
      60_000,
    );
    await refused(builder, "nix-alpha", "the host's load is above 0.01 per CPU; try again later");
    await restorePolicies(builder);
    expect((await knock(builder)).answer).toBe("admitted");
  });

  // The kernel of these machines has no PSI. test/process/admission.test.ts has real pressure.
  test("look at the store, and refuse where the kernel does not tell the pressure, of which check warns", async ({
    builder,
  }) => {
    expect(`${(await builder.asRoot("ls /proc/pressure || echo none")).stdout}`).toBe("none\n");
    await editHost(builder, '/^.admission.$/a max_cpu_pressure = "100%"');
    const unknown = "the kernel does not tell the cpu pressure, which admission.max_cpu_pressure needs";
    await refused(builder, "nix-alpha", `${unknown}; the administrator can tell more (nixgate check)`);
    const { stdout } = await builder.asRoot("nixgate check");
    expect(`${stdout}`).toContain("admission.max_cpu_pressure: this kernel does not tell the cpu pressure");
    await restorePolicies(builder);
    await editHost(builder, '/^.admission.$/a min_free_store = "100%"');
    const short = "the file system of /nix/store has less than 100% of space left; try again later";
    await refused(builder, "nix-alpha", short, "store-full");
    await restorePolicies(builder);
    expect((await knock(builder)).answer).toBe("admitted");
  });
});
