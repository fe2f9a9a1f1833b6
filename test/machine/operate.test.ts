import { expect } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import { allow, restorePolicies } from "./policies.ts";
import { records, recordsOf } from "./records.ts";
import { type Guest, test as plain } from "./support.ts";

const test = plain.extend<{ builder: Guest }>({
  builder: [
    async ({ guest }, use) => {
      await restorePolicies(guest);
      await allow(guest, "alpha", { wait: ["/bin/sleep", "60"], second: ["/bin/sleep", "1"] });
      await use(guest);
      await restorePolicies(guest);
    },
    { scope: "file" },
  ],
});

const text = async (guest: Guest, command: string) => `${(await guest.asRoot(command)).stdout}`.trim();

/** Starts a session that sleeps, and gives back its id and the promise of its end once the command runs. */
async function sleeping(guest: Guest) {
  const before = (await recordsOf(guest, "alpha", "command.start")).length;
  const ended = guest.ssh("nix-alpha", "wait");
  const start = await waitFor("command.start", async () => (await recordsOf(guest, "alpha", "command.start"))[before]);
  await waitFor("the command itself", () => text(guest, "pgrep -u nix-alpha -x sleep"));
  return { ended, session: start.session, unit: start.unit as string };
}

const scopesOf = async (guest: Guest) =>
  `${(await guest.asAccount("nix-alpha", "systemctl --user list-units --no-legend --plain 'nixgate-*.scope'")).stdout}`.trim();

/** The holder is stopped first: it would be quick to end the scope when it sees nixgate go before it. */
const killWithHolder = (guest: Guest) =>
  guest.asRoot("pkill -STOP -u nix-alpha -f nixgate-holder; pkill -KILL -u nix-alpha -f nixgate");

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

test("sessions kill ends a running session, and the record and the client say who did it", async ({ builder }) => {
  const { ended, session } = await sleeping(builder);
  const killed = await builder.asRoot(`nixgate sessions kill ${session}`);
  expect(killed.exitCode, `${killed.stderr}`).toBe(0);
  const { exitCode, stderr } = await ended;
  expect(exitCode).toBe(143);
  expect(`${stderr}`).toContain("ended by the administrator");
  const own = (await records(builder, "alpha")).filter((record) => record.session === session);
  expect(own.at(-1)).toMatchObject({ event: "session.end", cause: "killed-by-admin" });
  expect(await scopesOf(builder)).toBe("");
});

test("kill -9 of nixgate alone: the holder ends the command, recover closes the record", async ({ builder }) => {
  const { session } = await sleeping(builder);
  await builder.asRoot("pkill -KILL -u nix-alpha -f nixgate.cjs");
  await waitFor("an empty scope", async () => (await text(builder, "pgrep -u nix-alpha -x sleep")) === "", 6000);
  await waitFor("no scope", async () => (await scopesOf(builder)) === "", 6000);
  expect((await builder.asRoot("nixgate recover")).exitCode).toBe(0);
  const own = (await records(builder, "alpha")).filter((record) => record.session === session);
  expect(own.at(-1)).toMatchObject({ event: "session.end", cause: "supervisor-lost" });
  expect(await text(builder, "nixgate sessions verify")).toContain("nothing found");
});

test("kill -9 of nixgate and its holder together: recover stops the scope that is left", async ({ builder }) => {
  const { session, unit } = await sleeping(builder);
  await killWithHolder(builder);
  expect(await scopesOf(builder)).toContain(unit);
  const recovered = await builder.asRoot("nixgate recover");
  expect(`${recovered.stdout}`, `${recovered.stderr}`).toContain(session);
  await waitFor("no scope", async () => (await scopesOf(builder)) === "", 6000);
  expect(await text(builder, "pgrep -u nix-alpha -x sleep")).toBe("");
});

test("the next session of the team closes such a record by itself", async ({ builder }) => {
  const { session } = await sleeping(builder);
  await killWithHolder(builder);
  expect((await builder.ssh("nix-alpha", "second")).exitCode).toBe(0);
  const own = (await records(builder, "alpha")).filter((record) => record.session === session);
  expect(own.at(-1)).toMatchObject({ event: "session.end", cause: "supervisor-lost" });
  await waitFor("no scope", async () => (await scopesOf(builder)) === "", 6000);
});

test("render slices prints a bound that the account cannot raise", async ({ builder }) => {
  const uid = await text(builder, "id -u nix-alpha");
  const done = await builder.asRoot(
    "nixgate render slices --output / --force && systemctl daemon-reload && cat /etc/systemd/system/user-$(id -u nix-alpha).slice.d/*",
  );
  expect(done.exitCode, `${done.stderr}`).toBe(0);
  const bound = /^TasksMax=(\d+)$/m.exec(`${done.stdout}`)?.[1];
  const slice = `/sys/fs/cgroup/user.slice/user-${uid}.slice`;
  expect((await builder.ssh("nix-alpha", "second")).exitCode).toBe(0); // from the account's next session on
  expect(await text(builder, `cat ${slice}/pids.max`)).toBe(bound);
  const raise = await builder.asAccount("nix-alpha", `echo max >${slice}/pids.max`);
  expect(raise.exitCode).not.toBe(0);
  expect(await text(builder, `cat ${slice}/pids.max`)).toBe(bound);
  await builder.asRoot("rm -r /etc/systemd/system/user-*.slice.d; systemctl daemon-reload");
});
