import { expect } from "vitest";
import { sleeping, test, text } from "./operator.ts";
import { edit } from "./policies.ts";
import { recordsOf } from "./records.ts";
import type { Guest } from "./support.ts";

const DROP_IN = "/etc/ssh/sshd_config.d/05-access.conf"; // sshd takes the first value that it reads
const HEED = "systemctl restart ssh.service"; // a reload is not over when systemctl is back
const CA = "/root/access-ca";
const KEY = "/root/access-key";
/** The two documented ways of certificates; plain keys come by the first one's lines in both. */
const BLOCKS = {
  "cert-authority lines": [
    "AuthorizedKeysCommand /usr/local/bin/nixgate authorized-keys --user %u --fingerprint %f",
    "AuthorizedKeysCommandUser nobody",
    "TrustedUserCAKeys none",
  ],
  TrustedUserCAKeys: [
    `TrustedUserCAKeys ${CA}.pub`,
    // OpenSSH before 9.4 drops it behind an AuthorizedKeysCommand (OpenSSH bug 3574)
    "AuthorizedPrincipalsCommand /usr/local/bin/nixgate authorized-principals --user %u --key %f --ca %F --serial %s",
    "AuthorizedPrincipalsCommandUser nobody",
    "AuthorizedKeysCommand /usr/local/bin/nixgate authorized-keys --user %u --fingerprint %f",
    "AuthorizedKeysCommandUser nobody",
  ],
};

async function sshdTakes(guest: Guest, lines: readonly string[]): Promise<void> {
  const block = ["Match User nix-alpha", "ForceCommand none", "AuthorizedKeysFile none", ...lines];
  await guest.asRoot(`printf '%s\\n' ${block.map((line) => `'${line}'`).join(" ")} >${DROP_IN}; ${HEED}`);
}

/** Comes from inside the guest with a certificate of these options. A line loop that nobody refuses ends with 0. */
async function comes(guest: Guest, options: string): Promise<string> {
  const sign = `rm -f ${KEY}-cert.pub; ssh-keygen -q -s ${CA} -I test ${options} ${KEY}.pub`;
  const ssh = `ssh -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityAgent=none -i ${KEY} nix-alpha@localhost`;
  return text(guest, `${sign}; echo echo started | ${ssh} 2>/dev/null; echo $?`);
}
const LET_IN = "started\n0";

test("certificates come in by both documented ways, as the member of their principal; sshd refuses what ran out", async ({
  builder,
}) => {
  await builder.asRoot(
    `rm -f ${CA}* ${KEY}*; for key in ${CA} ${KEY}; do ssh-keygen -q -t ed25519 -N '' -f $key; done`,
  );
  const ca = await text(builder, `cut -d' ' -f1,2 ${CA}.pub`);
  const fingerprint = await text(builder, `ssh-keygen -lf ${KEY}.pub | cut -d' ' -f2`);
  const entry = `[[ca]]\\nkeys = [${JSON.stringify(ca)}]\\n[[member]]\\nname = "ada"\\nprincipals = ["ada"]`;
  await edit(builder, "alpha", `$a ${entry}`);
  try {
    for (const [way, lines] of Object.entries(BLOCKS)) {
      await sshdTakes(builder, lines);
      expect(await comes(builder, "-n ada -z 7"), way).toBe(LET_IN);
      expect((await recordsOf(builder, "alpha", "session.start")).at(-1), way).toMatchObject({
        member: "ada",
        key: { fingerprint },
      });
      expect(await comes(builder, "-n eve,nix-alpha"), way).toBe("255");
      expect(await comes(builder, "-n ada -V 20200101:20200102"), way).toBe("255");
    }
    expect(await text(builder, `nixgate lock ca-serial $(ssh-keygen -lf ${CA}.pub | cut -d' ' -f2):7`)).toContain(
      "locked",
    );
    expect(await comes(builder, "-n ada -z 7")).toBe("77");
    expect(await comes(builder, "-n ada -z 8")).toBe(LET_IN);
    // OpenSSH 8.7 to 9.3 drops the principals' command in this order (OpenSSH bug 3574); Debian 12 has 9.2
    const {
      TrustedUserCAKeys: [trusted = "", ...others],
    } = BLOCKS;
    await sshdTakes(builder, [trusted, ...others.slice(2), ...others.slice(0, 2)]);
    const isDropped = /OpenSSH_(?:8\.[789]|9\.[0-3])(?!\d)/.test(await text(builder, "ssh -V 2>&1"));
    const checked = await text(builder, "nixgate check 2>&1; true");
    expect(checked.includes("sshd gives nix-alpha a shell for a certificate with that name")).toBe(isDropped);
  } finally {
    await builder.asRoot(`rm -rf ${DROP_IN} /etc/nixgate/locks; ${HEED}`);
  }
});

test("a lock on a leaked key ends its session and refuses it; the supervisor and the accounts themselves read it", async ({
  builder,
}) => {
  const key = await text(builder, "cut -d' ' -f1,2 /home/nix-alpha/.ssh/authorized_keys | head -1");
  await edit(builder, "alpha", `$a [[member]]\\nname = "ci"\\nkeys = [${JSON.stringify(key)}]\\nuntil = 2999-01-01`);
  await sshdTakes(builder, BLOCKS["cert-authority lines"]);
  const fingerprint = await text(
    builder,
    "ssh-keygen -lf /home/nix-alpha/.ssh/authorized_keys | head -1 | cut -d' ' -f2",
  );
  try {
    const { ended, session } = await sleeping(builder);
    const locked = await builder.asRoot(`nixgate lock key ${fingerprint} --reason 'laptop stolen'`);
    expect({ ...locked, stdout: `${locked.stdout}`, stderr: `${locked.stderr}` }).toEqual({
      exitCode: 0,
      stdout: `key ${fingerprint} is locked\n1 session ended\n`,
      stderr: "",
    });
    const told = await ended;
    expect([told.exitCode, `${told.stderr}`]).toEqual([
      143,
      `nixgate: locked: ask the administrator (session ${session})\n`,
    ]);
    const lock = { kind: "key", value: fingerprint, reason: "laptop stolen" };
    expect((await recordsOf(builder, "alpha", "session.end")).find((end) => end.session === session)).toMatchObject({
      cause: "killed-by-admin",
      lock,
    });
    expect((await builder.ssh("nix-alpha", "second")).exitCode).toBe(77);
    expect((await recordsOf(builder, "alpha", "session.refuse")).at(-1)).toMatchObject({ reason: "locked", lock });
    expect((await builder.asRoot(`nixgate unlock key ${fingerprint}`)).exitCode).toBe(0);
    expect((await builder.ssh("nix-alpha", "second")).exitCode).toBe(0);
    expect((await recordsOf(builder, "_host", "lock.set")).at(-1)).toMatchObject({ ...lock, user: "root" });
    expect((await recordsOf(builder, "_host", "lock.lift")).at(-1)).toMatchObject({ kind: "key", value: fingerprint });

    await edit(builder, "alpha", "s/^until = .*/until = 2020-01-01/");
    expect((await builder.ssh("nix-alpha", "second")).exitCode).toBe(255);
    expect(await text(builder, "nixgate check 2>&1; true")).toContain('access of "ci" ended at 2020-01-01T00:00:00Z');
  } finally {
    await builder.asRoot(`rm -rf ${DROP_IN} /etc/nixgate/locks; ${HEED}`);
  }
});
