import { expect } from "vitest";
import { sshdBlock } from "../support/markdown.ts";
import { restorePolicies } from "./policies.ts";
import { type Guest, test as plain } from "./support.ts";

const SITE = "/etc/ssh/sshd_config.d/05-site.conf";
const OURS = "/etc/ssh/sshd_config.d/10-nixgate.conf";
const restartSshd = "systemctl restart ssh.service"; // a reload is not over when systemctl is back

/** A CA of the site's own, a key that the policy lists, and one that it does not; both have a certificate for nix-alpha. */
const SET_UP = `mkdir -p /root/ca && cd /root/ca
for name in ca listed other; do ssh-keygen -q -t ed25519 -N '' -C "" -f "$name"; done
for name in listed other; do ssh-keygen -q -s ca -I "$name" -n nix-alpha "$name.pub"; done
cp ca.pub /etc/ssh/site-ca.pub
printf '\\n[[member]]\\nname = "ci"\\nkeys = ["%s"]\\n' "$(cut -d' ' -f1,2 listed.pub)" >>/etc/nixgate/policies/alpha.toml
echo 'TrustedUserCAKeys /etc/ssh/site-ca.pub' >${SITE}
cp ${OURS} /root/ca/before; sed -i '/^Match/,$d' ${OURS}`;

const test = plain.extend<{ builder: Guest }>({
  builder: [
    async ({ guest }, use) => {
      await restorePolicies(guest);
      await guest.asRoot(SET_UP);
      await use(guest);
      await guest.asRoot(`cp /root/ca/before ${OURS}; rm -rf ${SITE} /root/ca; ${restartSshd}`);
      await restorePolicies(guest);
    },
    { scope: "file" },
  ],
});

const put = (guest: Guest, block: string) =>
  guest.asRoot(`sed -i '/^Match/,$d' ${OURS}; cat >>${OURS}; ${restartSshd}`, { input: block });

/** As a client with that key and its certificate. */
async function ask(guest: Guest, key: string, request: string) {
  const words = `-F none -q -i /root/ca/${key} -o CertificateFile=/root/ca/${key}-cert.pub -o IdentitiesOnly=yes -o BatchMode=yes`;
  const options = `${words} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null`;
  const { exitCode, stdout, stderr } = await guest.asRoot(`ssh ${options} nix-alpha@127.0.0.1 '${request}' </dev/null`);
  return { exitCode, stdout: `${stdout}`, stderr: `${stderr}` };
}
const NOT_LET_IN = { exitCode: 255, stdout: "" };

test("the documented block refuses a certificate of the site's CA, which gets a shell without its line", async ({
  builder,
}) => {
  const block = sshdBlock("AuthorizedKeysCommand");
  await put(builder, block.replace(/^ +(?:TrustedUserCAKeys|AuthenticationMethods).*\n/gm, ""));
  expect((await ask(builder, "other", "id -un")).stdout).toBe("nix-alpha\n");

  await put(builder, block);
  expect(await ask(builder, "other", "id -un")).toMatchObject(NOT_LET_IN);
  const refused = await ask(builder, "listed", "id -un");
  expect(refused).toMatchObject({ exitCode: 77, stdout: "", stderr: expect.stringMatching(/^nixgate: .*\(session /) });
});

test("the block with root's file of keys refuses that certificate too", async ({ builder }) => {
  const keys =
    "install -d /etc/ssh/nixgate-keys && nixgate authorized-keys --user nix-alpha >/etc/ssh/nixgate-keys/nix-alpha";
  await builder.asRoot(keys);
  await put(builder, sshdBlock("AuthorizedKeysFile"));
  expect(await ask(builder, "other", "id -un")).toMatchObject(NOT_LET_IN);
  expect(await ask(builder, "listed", "id -un")).toMatchObject({ exitCode: 77, stdout: "" });
});

test("sshd refuses a command below a group-writable folder, and check warns of it", async ({ builder }) => {
  await put(builder, sshdBlock("AuthorizedKeysCommand"));
  const check = async () => `${(await builder.asRoot("nixgate check")).stdout}`;
  expect(await check()).not.toContain("AuthorizedKeysCommand");
  await builder.asRoot("chgrp staff /usr/local/lib && chmod g+ws /usr/local/lib");
  try {
    expect(await check()).toContain(
      "/usr/local/lib: warning: accounts other than root could replace nixgate (mode 2775)",
    );
    expect(await ask(builder, "listed", "id -un")).toMatchObject(NOT_LET_IN);
    const said = await builder.asRoot("journalctl -u ssh.service --since -1min -o cat");
    expect(`${said.stdout}`).toContain("bad ownership or modes for directory /usr/local/lib");
  } finally {
    await builder.asRoot("chgrp root /usr/local/lib && chmod g-ws /usr/local/lib");
  }
  expect(await ask(builder, "listed", "id -un")).toMatchObject({ exitCode: 77 });
});
