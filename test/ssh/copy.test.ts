import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Builder, startBuilder } from "../support/builder.ts";

let builder: Builder;
beforeAll(async () => {
  builder = await startBuilder();
});
beforeEach(() => builder.mark());
afterAll(() => builder?.stop());

/** Removes a path from the client's store, so that it can only come from the server. */
async function forget(path: string, from = builder): Promise<void> {
  const { status, stderr } = await from.run(["nix-store", "--delete", path]);
  expect({ status, stderr }).toMatchObject({ status: 0 });
}

describe.each(["ssh", "ssh-ng"])("nix copy over %s://", (scheme) => {
  test("carries a path to the builder and back, byte for byte", async () => {
    const path = await builder.addToClient(`${scheme}-payload`, randomBytes(300_000));
    const original = await builder.dump("client", path);

    const to = await builder.run(["nix", "copy", "--no-check-sigs", "--to", `${scheme}://builder`, path]);
    expect(to).toMatchObject({ status: 0 });
    expect((await builder.dump("server", path)).equals(original)).toBe(true);

    await forget(path);
    const from = await builder.run(["nix", "copy", "--no-check-sigs", "--from", `${scheme}://builder`, path]);
    expect(from).toMatchObject({ status: 0 });
    expect((await builder.dump("client", path)).equals(original)).toBe(true);

    const ends = await builder.awaitRecords("session.end", 2);
    expect(ends.map(({ exit, cause }) => ({ exit, cause }))).toEqual([
      { exit: 0, cause: "exit" },
      { exit: 0, cause: "exit" },
    ]);
  });
});

test("nix-copy-closure carries a path --to the builder and --from it", async () => {
  const path = await builder.addToClient("closure-payload", randomBytes(50_000));
  const original = await builder.dump("client", path);
  expect(await builder.run(["nix-copy-closure", "--to", "builder", path])).toMatchObject({ status: 0 });
  expect((await builder.dump("server", path)).equals(original)).toBe(true);
  await forget(path);
  expect(await builder.run(["nix-copy-closure", "--from", "builder", path])).toMatchObject({ status: 0 });
  expect((await builder.dump("client", path)).equals(original)).toBe(true);
});

test.each(["ssh", "ssh-ng"])("nix store ping answers over %s://", async (scheme) => {
  expect(await builder.run(["nix", "store", "ping", "--store", `${scheme}://builder`])).toMatchObject({ status: 0 });
  await builder.awaitRecords("session.end");
});

test.each([
  ["ssh", "nix-store", "/usr/bin/nix-store"],
  ["ssh-ng", "nix-daemon", "/usr/bin/nix-daemon"],
])("%s:// with remote-program runs the pinned program, not the client's path", async (scheme, program, pinned) => {
  const uri = `${scheme}://builder?remote-program=/nix/var/nix/profiles/default/bin/${program}`;
  expect(await builder.run(["nix", "store", "ping", "--store", uri])).toMatchObject({ status: 0 });
  const [start] = await builder.awaitRecords("command.start");
  expect(start?.request).toContain(`/nix/var/nix/profiles/default/bin/${program} --`);
  expect(start?.argv[0]).toBe(pinned);
});

describe.each(["ssh", "ssh-ng"])("%s:// with remote-store", (scheme) => {
  test("reaches a store that the policy lists", async () => {
    mkdirSync(join(builder.folder, "other"), { recursive: true });
    const path = await builder.addToClient(`${scheme}-elsewhere`, randomBytes(1000));
    const uri = `${scheme}://builder?remote-store=${encodeURIComponent(builder.otherStore)}`;
    expect(await builder.run(["nix", "copy", "--no-check-sigs", "--to", uri, path])).toMatchObject({ status: 0 });
    const [start] = await builder.awaitRecords("command.start");
    expect(start?.argv.slice(-2)).toEqual(["--store", builder.otherStore]);
    await expect(builder.dump("server", path)).rejects.toThrow();
  });

  test("is refused if the policy does not list it", async () => {
    const uri = `${scheme}://builder?remote-store=${encodeURIComponent("local?root=/")}`;
    const { status, stderr } = await builder.run(["nix", "store", "ping", "--store", uri]);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/nixgate: .+ \(session [0-9a-f-]{36}\)/);
    expect((await builder.awaitRecords("command.deny"))[0]).toMatchObject({ reason: "store-not-allowed" });
    expect((await builder.awaitRecords("session.end"))[0]).toMatchObject({ exit: 77 });
  });
});

describe("a store that is served read-only", () => {
  let mirror: Builder;
  beforeAll(async () => {
    mirror = await startBuilder({ readOnly: true });
  });
  afterAll(() => mirror?.stop());

  test("serves reads to a client that asks for --write, and refuses writes", async () => {
    const path = await mirror.addToClient("mirrored-payload", randomBytes(50_000));
    const original = await mirror.dump("client", path);
    const upload = () => mirror.run(["nix", "copy", "--no-check-sigs", "--to", "ssh://builder", path]);
    expect((await upload()).status).not.toBe(0);
    await expect(mirror.dump("server", path)).rejects.toThrow();
    // over the protocol that may write here
    const put = await mirror.run(["nix", "copy", "--no-check-sigs", "--to", "ssh-ng://builder", path]);
    expect(put).toMatchObject({ status: 0 });
    await forget(path, mirror);
    const from = await mirror.run(["nix", "copy", "--no-check-sigs", "--from", "ssh://builder", path]);
    expect(from).toMatchObject({ status: 0 });
    expect((await mirror.dump("client", path)).equals(original)).toBe(true);
    const starts = mirror.records().filter((record) => record.event === "command.start");
    const served = starts.filter(({ request }) => request === "nix-store --serve --write");
    expect(served.map(({ argv }) => argv)).toEqual(Array(2).fill(["/usr/bin/nix-store", "--serve"]));
  });
});
