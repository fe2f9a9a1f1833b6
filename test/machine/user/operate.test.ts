import { expect } from "vitest";
import { waitFor } from "../../support/wait-for.ts";
import { scopesOf, sleeping, test, text } from "../operator.ts";
import { records } from "../records.ts";
import type { Guest } from "../support.ts";

/** The holder is stopped first: it would be quick to end the scope when it sees nixgate go before it. */
const killWithHolder = (guest: Guest) =>
  guest.asRoot("pkill -STOP -u nix-alpha -f nixgate-holder; pkill -KILL -u nix-alpha -f nixgate");

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
