import { spawn } from "node:child_process";
import { appendFileSync, chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { expect, onTestFinished, test } from "vitest";
import { startBuilder } from "../support/builder.ts";
import { printedFingerprint } from "../support/certificates.ts";
import { page } from "../support/markdown.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { NIXGATE } from "../support/workplace.ts";

/** What is typed and what is answered, in the order of the page. */
const dialogue = [...page("access").matchAll(/^```console\n([\s\S]*?)^```$/gm)]
  .flatMap(([, block]) => `\n${block}`.split(/\n# /).slice(1))
  .map((said) => ({ command: said.split("\n")[0] ?? "", answer: said.split("\n").slice(1).join("\n") }));

/** The same text without what differs from run to run: ids, keys, addresses, times, and the columns that they fill. */
const alike = (text: string) =>
  text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, "ID")
    .replaceAll(/SHA256:[A-Za-z0-9+/]{43}/g, "KEY")
    .replaceAll(/\b(?:127|198\.51)\.[0-9.]+/g, "ADDRESS")
    .replaceAll(/\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d)?/g, "TIME")
    .replaceAll(/\b\d+(?:\.\d+)? (?:ms|s|min)\b(?: \d+ s)?/g, "WHILE")
    .replaceAll(/ +/g, " ");

test("docs/access.md leads from a leaked key to the report in five commands, with what they really print", async () => {
  expect(dialogue.map(({ command }) => command.split(" ").slice(0, 3).join(" "))).toEqual([
    "nixgate sessions list",
    "nixgate lock key",
    "nixgate sessions list",
    "nixgate sessions keys",
    "nixgate sessions report",
  ]);
  const here = await startBuilder({ sshd: () => [] });
  onTestFinished(here.stop);
  const key = readFileSync(join(here.folder, "ssh/client_key.pub"), "utf8").trim();
  appendFileSync(join(here.etc, "policies/alpha.toml"), `[[member]]\nname = "ci"\nkeys = ["${key}"]\n`);
  const printed = await here.nixgate("authorized-keys");
  writeFileSync(join(here.folder, "ssh/authorized_keys"), printed.stdout);
  const fingerprint = printedFingerprint(join(here.folder, "ssh/client_key.pub"));

  const folder = temporaryFolder("bin");
  const program = join(folder, "nixgate");
  writeFileSync(program, `#!/bin/sh\nexec '${NIXGATE}' "$@" --config-dir '${here.etc}'\n`);
  chmodSync(program, 0o755);
  const type = (command: string) =>
    execa("/bin/sh", ["-c", command.replace(/SHA256:\S+/, fingerprint)], {
      ...{ all: true, reject: false, cwd: temporaryFolder("asked"), extendEnv: false },
      env: { PATH: `${folder}:/usr/bin:/bin`, TZ: "UTC" },
    });

  expect((await here.ssh(["builder"], { input: "echo started\n" })).status).toBe(0);
  const thief = spawn("ssh", ["-F", here.sshd.clientConfig, "builder"], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void thief.kill("SIGKILL"));
  const answered = new Promise((resolve) => thief.stdout.once("data", resolve));
  thief.stdin.write("echo started\n");
  await answered;
  for (const [index, { command, answer }] of dialogue.entries()) {
    const { all, exitCode } = await type(command);
    expect([exitCode, alike(all), all], command).toEqual([0, alike(answer.trimEnd()), expect.anything()]);
    if (index === 1) expect((await here.ssh(["builder"], { input: "echo started\n" })).status).toBe(77);
  }
});
