import { expect } from "vitest";
import { KEYS_ID } from "../../src/record/journal-entry.ts";
import { isServeAnswer, serveHello } from "../support/nix-protocol.ts";
import { test, text } from "./operator.ts";
import { edit } from "./policies.ts";
import { recordsOf } from "./records.ts";

const DROP_IN = "/etc/ssh/sshd_config.d/05-keys.conf"; // sshd takes the first value that it reads
const HEED = "systemctl restart ssh.service"; // a reload is not over when systemctl is back
const SSHD = [
  "Match User nix-beta",
  "  ForceCommand none",
  "  AuthorizedKeysCommand /usr/local/bin/nixgate authorized-keys --user %u --fingerprint %f",
  "  AuthorizedKeysCommandUser nobody",
  "  AuthorizedKeysFile none",
];
const POLICY = "/etc/nixgate/policies/beta.toml";

test("under AuthorizedKeysCommand a broken policy gives the member a message, and an unreadable one the journal", async ({
  builder,
}) => {
  const key = await text(builder, "cat /home/nix-beta/.ssh/authorized_keys");
  await edit(builder, "beta", `$a [[member]]\\nname = "ada"\\nkeys = [${JSON.stringify(key)}]`);
  await builder.asRoot(`printf '%s\\n' ${SSHD.map((line) => `'${line}'`).join(" ")} >${DROP_IN}; ${HEED}`);
  const ask = () => builder.ssh("nix-beta", "nix-store --serve", { input: serveHello });
  const logged = () =>
    text(builder, `journalctl --priority=err MESSAGE_ID=${KEYS_ID} NIXGATE_TEAM=beta -o cat | tail -1`);
  try {
    const known = await ask();
    expect({ status: known.exitCode, stderr: `${known.stderr}` }).toEqual({ status: 0, stderr: "" });
    expect(isServeAnswer(known.stdout)).toBe(true);
    expect((await recordsOf(builder, "beta", "session.start")).at(-1)).toMatchObject({ member: "ada" });

    await edit(builder, "beta", 's/^TasksMax = .*/TasksMax = "many"/');
    const broken = await ask();
    expect(broken.exitCode, `${broken.stderr}`).toBe(78);
    expect(`${broken.stderr}`).toMatch(/^nixgate: .*TasksMax.* \(session [0-9a-f-]{36}\)\n$/);
    expect((await recordsOf(builder, "beta", "session.refuse")).at(-1)).toMatchObject({ reason: "policy-invalid" });
    expect(await logged()).toMatch(/^authorized-keys: team beta: .+beta\.toml:\d+: (?:team_)?limits\.TasksMax/);

    await builder.asRoot(`chmod 600 ${POLICY}`);
    const unreadable = await ask();
    expect(unreadable.exitCode).toBe(255);
    expect(await logged()).toBe(
      `authorized-keys: team beta: ${POLICY}: cannot be read by this account; fix: let the account read it`,
    );
  } finally {
    await builder.asRoot(`rm ${DROP_IN}; chmod 644 ${POLICY}; ${HEED}`);
  }
});
