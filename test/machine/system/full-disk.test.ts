import { expect } from "vitest";
import { waitFor } from "../../support/wait-for.ts";
import { allow, edit, editHost } from "../policies.ts";
import { recordsOf } from "../records.ts";
import { killSupervisor, restarted, test, text } from "../supervision.ts";
import type { Guest } from "../support.ts";
import { startClient } from "../waiting-client.ts";

const LOG = "/var/log/nixgate";
const FILL = `cat /dev/zero >${LOG}/.fill`;
const FREE = `rm ${LOG}/.fill`;
const verify = (builder: Guest) => text(builder, "nixgate sessions verify | grep -v '^[cjs][a-z]*  '; nixgate recover");

/** Sessions whose last records are more than a page, which is what fits behind the others. @returns what clients got */
async function endOnFullDisk(builder: Guest) {
  using clients = new DisposableStack();
  await builder.asRoot("rm -f /tmp/go");
  const before = (await recordsOf(builder, "alpha", "command.start")).length;
  const ended = Array.from({ length: 8 }, () => {
    const client = clients.use(startClient(builder, "hold"));
    return new Promise<number | null>((resolve) => client.once("close", resolve));
  });
  const all = async () => (await recordsOf(builder, "alpha", "command.start")).length - before === 8;
  await waitFor("all to run", all, 60_000);
  await builder.asRoot(`${FILL}; touch /tmp/go`);
  return await Promise.all(ended);
}
const exits = async (builder: Guest) => (await recordsOf(builder, "alpha", "session.end")).map(({ exit }) => exit);

test("the records get a disk of their own", async ({ builder }) => {
  await allow(builder, "alpha", { hold: ["/bin/sh", "-c", "until [ -e /tmp/go ]; do sleep 0.2; done; exit 6"] });
  await edit(builder, "alpha", 's/^RuntimeMaxSec = .*/RuntimeMaxSec = "600s"/'); // eight starts may take long
  await editHost(builder, '/^\\[admission\\]/a min_free_log = "0"'); // which would turn them away before
  await builder.asRoot(`mount -t tmpfs -o size=64k,mode=755 none ${LOG}; systemctl restart nixgate.service`);
  await restarted(builder);
});

test("the supervisor writes records late after a full disk, and recover lists them meanwhile", async ({ builder }) => {
  const got = await endOnFullDisk(builder);
  expect(got).toContain(74);
  expect(await text(builder, "nixgate recover")).toMatch(
    /^([0-9a-f-]{36} {2}team alpha: has ended; the supervisor writes its last records as soon as the disk takes them\n?)+$/,
  );
  await builder.asRoot(FREE);
  await waitFor("all ends", async () => (await exits(builder)).length === got.length);
  expect((await exits(builder)).toSorted()).toEqual(got.toSorted());
  expect(await verify(builder)).toMatch(/: nothing found\nnothing to recover$/);
});

test("recover takes records from the journal that a stopped supervisor could not write", async ({ builder }) => {
  await editHost(builder, 's/^on_failure = .*/on_failure = "continue"/; /^\\[log\\]/a on_failure = "continue"');
  await builder.asRoot("systemctl restart nixgate.service");
  await restarted(builder);
  const before = (await exits(builder)).length;
  expect(await endOnFullDisk(builder)).toEqual(Array(8).fill(6));
  await killSupervisor(builder);
  await restarted(builder);
  await builder.asRoot(FREE);
  expect(await text(builder, "nixgate recover")).toMatch(
    /^([^\n]*: its last records were in the journal: exit, status 6\n?)+$/,
  );
  expect((await exits(builder)).slice(before)).toEqual(Array(8).fill(6));
  expect(await verify(builder)).toMatch(/: nothing found\nnothing to recover$/);
});

test("the disk is removed", async ({ builder }) => {
  await builder.asRoot(`umount ${LOG}; systemctl restart nixgate.service`);
  await restarted(builder);
});
