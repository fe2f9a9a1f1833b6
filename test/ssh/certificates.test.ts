import { appendFileSync, chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { type Builder, type BuilderOptions, startBuilder } from "../support/builder.ts";
import { makeCa, printedFingerprint, revoke, type SignOptions } from "../support/certificates.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { NIXGATE } from "../support/workplace.ts";

let builder: Builder | undefined;
afterEach(async () => {
  await builder?.stop();
  builder = undefined;
});
async function start(options: BuilderOptions): Promise<Builder> {
  builder = await startBuilder(options);
  return builder;
}

const PING = ["nix", "store", "ping", "--store", "ssh-ng://builder"];
const ca = makeCa(temporaryFolder("ca"));

test("the record of a certificate has sshd's facts and the key's fingerprint as of ssh-keygen -l", async () => {
  const here = await start({
    sshd: () => ["ExposeAuthInfo yes"],
    authorizedKeys: ({ forced }) =>
      `restrict,cert-authority,principals="ci-alpha",command="${forced}" ${ca.publicKey}\n`,
  });
  const key = join(here.folder, "ssh/client_key");
  const valid = "20260101000000Z:20990102030405Z";
  ca.sign(key, {
    principals: ["ci-alpha", "ci-beta"],
    serial: 18_446_744_073_709_551_615n,
    id: "run 7\u001b[31m",
    valid,
  });
  expect(await here.run(PING)).toMatchObject({ status: 0 });
  const [record] = await here.awaitRecords("session.start");
  expect(record?.key).toEqual({
    type: "ssh-ed25519",
    fingerprint: printedFingerprint(`${key}-cert.pub`),
    certificate: {
      id: "run 7\\u{1b}[31m",
      serial: "18446744073709551615",
      ca: ca.fingerprint,
      principals: ["ci-alpha", "ci-beta"],
      valid_before: "2099-01-02T03:04:05.000Z",
    },
  });
  here.mark();
  ca.sign(key, { principals: ["ci-alpha"] });
  expect(await here.run(PING)).toMatchObject({ status: 0 });
  const [eternal] = await here.awaitRecords("session.start");
  expect(eternal?.key?.certificate).not.toHaveProperty("valid_before");
});

const MEMBERS = `[[member]]
name = "ci"
principals = ["ci-alpha", "ci-nightly"]
[[member]]
name = "ada"
principals = ["ada"]
`;
const ECHO = { input: "echo started\n" };

/** Starts nixgate where sshd takes a program: its folder is root's alone. A team's account is named like the team. */
function wrapper(): string {
  const folder = mkdtempSync("/run/nixgate-test-");
  onTestFinished(() => rmSync(folder, { recursive: true }));
  chmodSync(folder, 0o755);
  const path = join(folder, "nixgate");
  writeFileSync(path, `#!/bin/sh\nexec '${NIXGATE}' "$@"\n`, { mode: 0o755 });
  return path;
}

/** The two documented ways: the CA's line in authorized_keys, and the CA in sshd's own list. */
const WAYS = {
  "cert-authority lines of authorized-keys": (program: string, etc: string) => [
    `AuthorizedKeysCommand ${program} authorized-keys --user %u --fingerprint %f --config-dir ${etc}`,
    "AuthorizedKeysCommandUser root",
  ],
  "TrustedUserCAKeys with authorized-principals": (program: string, etc: string) => [
    `TrustedUserCAKeys ${etc}/trusted.pub`,
    `AuthorizedPrincipalsCommand ${program} authorized-principals --user %u --key %f --ca %F --serial %s --config-dir ${etc}`,
    "AuthorizedPrincipalsCommandUser root",
  ],
};

describe.skipIf(userInfo().username !== "root").each(Object.entries(WAYS))("%s", (way, lines) => {
  const other = makeCa(temporaryFolder("other-ca"));
  /** A builder whose team trusts `ca`; sshd itself also trusts `other`. */
  async function builderWith(more: readonly string[] = []) {
    const program = wrapper();
    const here = await start({
      team: "root",
      sshd: ({ etc }) => {
        appendFileSync(join(etc, "nixgate.toml"), `[[ca]]\nkeys = ["${ca.publicKey}"]\n`);
        writeFileSync(join(etc, "trusted.pub"), `${ca.publicKey}\n${other.publicKey}\n`);
        return [...lines(program, etc), ...more];
      },
      authorizedKeys: () => "",
      policy: () => MEMBERS,
    });
    const key = join(here.folder, "ssh/client_key");
    const comes = async (options: SignOptions, by = ca) => {
      by.sign(key, options);
      return here.ssh(["builder"], ECHO);
    };
    return { here, key, comes };
  }

  test("a certificate is the member's whose principal it has; the forced command tells key, CA and serial", async () => {
    const { here, key, comes } = await builderWith();
    expect(await comes({ principals: ["root", "ci-nightly"], serial: 17n })).toMatchObject({ status: 0 });
    const [start] = await here.awaitRecords("session.start");
    const certificate = way.startsWith("Trusted") ? { certificate: { ca: ca.fingerprint, serial: "17" } } : {};
    const fingerprint = printedFingerprint(`${key}.pub`);
    expect(start).toMatchObject({ team: "root", member: "ci", key: { fingerprint, ...certificate } });
    here.mark();
    expect((await comes({ principals: ["ada"] })).status).toBe(0);
    expect((await here.awaitRecords("session.start"))[0]).toMatchObject({ member: "ada" });

    expect((await comes({ principals: ["root", "eve"] })).status).toBe(255);
    expect((await comes({ principals: ["ci-alpha"] }, other)).status).toBe(255);
    expect((await comes({ principals: ["ci-alpha"], valid: "20200101000000Z:20200102000000Z" })).status).toBe(255);
    expect((await comes({ principals: ["ci-alpha"], options: ["source-address=192.0.2.0/24"] })).status).toBe(255);
    expect((await comes({ principals: ["ci-alpha"], options: ["source-address=127.0.0.0/8"] })).status).toBe(0);
  });

  test("a revoked serial is refused by sshd, and a locked key or serial by the session", async () => {
    const krl = join(temporaryFolder("krl"), "revoked");
    writeFileSync(`${krl}.spec`, "serial: 18\n");
    revoke(krl, ca, `${krl}.spec`);
    const { here, key, comes } = await builderWith([`RevokedKeys ${krl}`, "ExposeAuthInfo yes"]);
    expect((await comes({ principals: ["ada"], serial: 17n })).status).toBe(0);
    expect((await comes({ principals: ["ada"], serial: 18n })).status).toBe(255);

    expect((await here.nixgate("lock", "ca-serial", `${ca.fingerprint}:19`)).status).toBe(0);
    expect((await comes({ principals: ["ada"], serial: 19n })).status).toBe(77);
    expect((await comes({ principals: ["ada"], serial: 20n })).status).toBe(0);
    expect((await here.nixgate("lock", "key", printedFingerprint(`${key}.pub`))).status).toBe(0);
    const { status, stderr } = await comes({ principals: ["ada"], serial: 20n });
    expect([status, stderr]).toEqual([77, expect.stringContaining("locked: ask the administrator")]);
  });

  test("no forced command of a certificate takes the place of nixgate: sshd refuses it, and ForceCommand beats it", async () => {
    const { here, comes } = await builderWith();
    const own = { principals: ["ci-alpha"], options: ["force-command=/usr/bin/id"] };
    expect((await comes(own)).status).toBe(255);
    expect(here.sshd.log()).toContain("forced command options do not match");
    await here.stop();
    const forced = await builderWith(["ForceCommand /bin/echo of sshd_config"]);
    const { status, stdout } = await forced.comes({ principals: ["ci-alpha"] });
    expect([status, stdout]).toEqual([0, "of sshd_config\n"]);
  });

  test("`until` and `from` of the member hold for certificates as well", async () => {
    const { here, comes } = await builderWith();
    const path = join(here.etc, "policies/root.toml");
    appendFileSync(path, '[[member]]\nname = "old"\nprincipals = ["old"]\nuntil = 2020-01-01\n');
    appendFileSync(path, '[[member]]\nname = "far"\nprincipals = ["far"]\nfrom = ["192.0.2.0/24"]\n');
    expect((await comes({ principals: ["old"] })).status).toBe(255);
    expect((await comes({ principals: ["far"] })).status).toBe(255);
    expect((await comes({ principals: ["ada"] })).status).toBe(0);
  });
});
