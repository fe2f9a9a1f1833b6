import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Builder, startBuilder } from "../support/builder.ts";

let builder: Builder;
beforeAll(async () => {
  builder = await startBuilder({
    sshd: ({ forced }) => [
      `ForceCommand ${forced}`,
      "DisableForwarding yes",
      "Subsystem sftp /usr/lib/openssh/sftp-server",
    ],
    policy: () => `
[[allow]]
request = ["exit-42"]
run = ["/bin/sh", "-c", "exit 42"]
[[allow]]
request = ["exit-killed"]
run = ["/bin/sh", "-c", "kill -KILL $$"]
`,
  });
});
beforeEach(() => builder.mark());
afterAll(() => builder?.stop());

const ONE_LINE = /^nixgate: .+ \(session ([0-9a-f-]{36})\)\n$/;

test("a denied command ends with status 77 and one line, and sessions show finds its session", async () => {
  const { status, stdout, stderr } = await builder.ssh(["builder", "rm", "-rf", "/tmp/x"]);
  expect({ status, stdout }).toEqual({ status: 77, stdout: "" });
  const [, session = ""] = ONE_LINE.exec(stderr) ?? [];
  expect((await builder.awaitRecords("command.deny"))[0]).toMatchObject({
    session,
    request: "rm -rf /tmp/x",
    reason: "not-allowlisted",
  });
  const shown = await builder.nixgate("sessions", "show", session);
  expect(shown).toMatchObject({ status: 0, stdout: expect.stringContaining("rm -rf /tmp/x") });
});

test.each([
  { ends: "with the command's own", words: ["exit-42"], status: 42 },
  { ends: "with 128 + the signal's number", words: ["exit-killed"], status: 137 },
  { ends: "with a denial", words: ["nix-store --serve"], status: 77 },
  { ends: "as malformed", words: ["nix-store '--serve"], status: 65 },
  { ends: "as malformed for a control character", words: ["nix-store --serve\u001b[2J"], status: 65 },
  { ends: "as malformed when too long", words: [`nix-store ${"x".repeat(5000)}`], status: 65 },
])("ssh sees status $status for a session that ends $ends", async ({ words, status }) => {
  expect((await builder.ssh(["builder", ...words])).status).toBe(status);
  expect((await builder.awaitRecords("session.end"))[0]).toMatchObject({ exit: status });
});

test("ssh sees status 78 while the policy is broken", async () => {
  const path = join(builder.etc, "policies/alpha.toml");
  const before = readFileSync(path, "utf8");
  writeFileSync(path, `${before}\nnonsense`);
  try {
    const { status, stderr } = await builder.ssh(["builder", "nix-store", "--serve", "--write"]);
    expect(status).toBe(78);
    expect(stderr).toMatch(ONE_LINE);
  } finally {
    writeFileSync(path, before);
  }
});

test("a terminal is refused", async () => {
  const { status, stdout } = await builder.ssh(["-tt", "builder", "nix-store", "--serve", "--write"]);
  expect(status).toBe(77);
  expect(stdout).toMatch(/nixgate: .*terminal.*\(session/); // a terminal has one stream for both
  expect((await builder.awaitRecords("session.refuse"))[0]).toMatchObject({ reason: "terminal" });
});

test("a person's plain ssh gets the line loop, which ends with its input", async () => {
  expect(await builder.ssh(["builder"])).toEqual({ status: 0, stdout: "", stderr: "" });
  expect((await builder.awaitRecords("session.start"))[0]).toMatchObject({ mode: "loop" });
});

test("sftp is refused as a subsystem", async () => {
  const { status } = await builder.run(["sftp", "-F", builder.sshd.clientConfig, "builder"], { input: "ls\n" });
  expect(status).not.toBe(0);
  expect((await builder.awaitRecords("command.deny"))[0]).toMatchObject({ reason: "subsystem" });
});

test.each([
  { how: "over sftp", option: "-s", reason: "subsystem" },
  { how: "in its old way", option: "-O", reason: "not-allowlisted" },
])("scp $how is refused, and its file does not arrive", async ({ option, reason }) => {
  const target = join(builder.folder, "arrived");
  const scp = ["scp", option, "-F", builder.sshd.clientConfig, "package.json", `builder:${target}`];
  expect((await builder.run(scp)).status).not.toBe(0);
  expect((await builder.awaitRecords("command.deny"))[0]).toMatchObject({ reason });
  expect((await builder.run(["test", "-e", target])).status).toBe(1);
});

test.each([
  { what: "to a port of the builder", words: ({ sshd }: Builder) => ["-W", `127.0.0.1:${sshd.port}`] },
  {
    what: "from a port of the builder",
    words: () => ["-o", "ExitOnForwardFailure=yes", "-N", "-R", "0:127.0.0.1:9"],
  },
])("forwarding $what is refused and opens no session", async ({ words }) => {
  const { status, stderr } = await builder.ssh([...words(builder), "builder"]);
  expect(status).toBe(255);
  expect(stderr).toMatch(/administratively prohibited|forwarding failed/);
  expect(await builder.ssh(["builder", "exit-42"])).toMatchObject({ status: 42 });
  expect(await builder.awaitRecords("session.start")).toHaveLength(1);
});

/** The file of the host's configuration with another text in it, for as long as the function runs. */
async function withHost(more: string, run: () => Promise<void>): Promise<void> {
  const path = join(builder.etc, "nixgate.toml");
  const before = readFileSync(path, "utf8");
  writeFileSync(path, before + more);
  await run().finally(() => writeFileSync(path, before));
}

test("each refusal names the host's contact in its line, and stdout stays empty", async () => {
  const contact = "ask builders@example.org, or #nix";
  const policy = join(builder.etc, "policies/alpha.toml");
  const sound = readFileSync(policy, "utf8");
  const close = (...words: string[]) => builder.nixgate(...words);
  const refusals: readonly (readonly [number, string, () => unknown, () => unknown])[] = [
    [77, "rm -rf /tmp/x", () => undefined, () => undefined],
    [65, "nix-store '--serve", () => undefined, () => undefined],
    [78, "nix-store --serve", () => writeFileSync(policy, "nonsense"), () => writeFileSync(policy, sound)],
    [75, "nix-store --serve --write", () => close("close", "--message", "new disks"), () => close("open")],
    [77, "nix-store --serve --write", () => close("lock", "team", "alpha"), () => close("unlock", "team", "alpha")],
  ];
  await withHost(`[messages]\ncontact = "${contact}"\n`, async () => {
    for (const [status, request, before, after] of refusals) {
      await before();
      const answer = await builder.ssh(["builder", request]).finally(after);
      expect(answer).toMatchObject({ status, stdout: "" });
      expect(answer.stderr).toMatch(new RegExp(`^nixgate: .+ \\(session [0-9a-f-]{36}\\); contact: ${contact}\n$`));
    }
  });
});

test("a command that is allowed gets no such line", async () => {
  await withHost('[messages]\ncontact = "ask builders@example.org"\n', async () => {
    expect(await builder.ssh(["builder", "exit-42"])).toMatchObject({ status: 42, stderr: "" });
  });
});
