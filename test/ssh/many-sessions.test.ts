import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Builder, startBuilder } from "../support/builder.ts";
import { startClient } from "../support/client.ts";
import { waitFor } from "../support/wait-for.ts";

let builder: Builder;
beforeAll(async () => {
  builder = await startBuilder();
});
afterAll(() => builder?.stop());

test("several sessions of one connection each have their own records", async () => {
  const socket = join(builder.folder, "mux");
  const control = (word: string) => builder.ssh(["-S", socket, "-O", word, "builder"]);
  const master = startClient(builder, ["-M", "-N", "-S", socket, "builder"]);
  await waitFor("the master", async () => (await control("check")).status === 0);
  expect(builder.records()).toEqual([]); // a master opens no session

  const env = { ...builder.clientEnvironment, NIX_SSHOPTS: `-F ${builder.sshd.clientConfig} -S ${socket}` };
  const schemes = ["ssh", "ssh-ng", "ssh", "ssh-ng"];
  const paths: string[] = [];
  for (const index of schemes.keys()) paths.push(await builder.addToClient(`file-${index}`, randomBytes(200_000)));
  const copies = schemes.map((scheme, index) =>
    builder.run(["nix", "copy", "--no-check-sigs", "--to", `${scheme}://builder`, paths[index] ?? ""], { env }),
  );
  for (const copy of await Promise.all(copies)) expect(copy).toMatchObject({ status: 0 });
  for (const path of paths) {
    expect((await builder.dump("server", path)).equals(await builder.dump("client", path))).toBe(true);
  }

  const starts = await builder.awaitRecords("session.start", 4);
  expect(new Set(starts.map(({ client }) => client?.port)).size).toBe(1);
  expect(new Set(starts.map(({ session }) => session)).size).toBe(4);
  await builder.awaitRecords("session.end", 4);
  expect(await builder.nixgate("sessions", "verify")).toMatchObject({ status: 0 });
  await control("exit");
  await master.answer;
});
