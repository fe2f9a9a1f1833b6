import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Builder, SYSTEM, startBuilder } from "../support/builder.ts";

let builder: Builder;
beforeAll(async () => {
  builder = await startBuilder();
});
afterAll(() => builder?.stop());

/** Builds on the builder alone: the client may run no job of its own. */
function build(scheme: string, name: string, script: string) {
  const file = join(builder.folder, `${name}.nix`);
  writeFileSync(
    file,
    `derivation { name = "${name}"; system = "${SYSTEM}"; builder = "/bin/sh"; args = [ "-c" "${script}" ]; }`,
  );
  const remote = ["--max-jobs", "0", "--builders", `${scheme}://builder ${SYSTEM}`];
  return builder.run(["nix-build", "--no-out-link", ...remote, file]);
}

test.each(["ssh", "ssh-ng"])("the build hook builds over %s:// and brings the result back", async (scheme) => {
  builder.mark();
  const { status, stdout, stderr } = await build(scheme, `tiny-${scheme}`, "echo to the log >&2; echo built > $out");
  expect({ status, stderr }).toMatchObject({ status: 0, stderr: expect.stringContaining("to the log") });
  const path = stdout.trim();
  expect((await builder.dump("client", path)).includes("built\n")).toBe(true);
  expect((await builder.dump("server", path)).equals(await builder.dump("client", path))).toBe(true);
  const [start] = await builder.awaitRecords("command.start");
  expect(start?.argv.slice(1)).toEqual(scheme === "ssh" ? ["--serve", "--write"] : ["--stdio"]);
});

test("nix-store -r realises a derivation on the builder", async () => {
  const file = join(builder.folder, "by-drv.nix");
  writeFileSync(
    file,
    `derivation { name = "by-drv"; system = "${SYSTEM}"; builder = "/bin/sh"; args = [ "-c" "echo 1 > $out" ]; }`,
  );
  const derivation = (await builder.run(["nix-instantiate", file])).stdout.trim();
  const remote = ["--max-jobs", "0", "--builders", `ssh://builder ${SYSTEM}`];
  const { status, stdout } = await builder.run(["nix-store", "-r", derivation, ...remote]);
  expect(status).toBe(0);
  expect((await builder.dump("server", stdout.trim())).length).toBeGreaterThan(0);
});

test("a build that fails fails at the client, with its log", async () => {
  const { status, stderr } = await build("ssh", "broken", "echo no luck >&2; exit 3");
  expect(status).not.toBe(0);
  expect(stderr).toContain("no luck");
});
