import { execFileSync, spawn } from "node:child_process";
import { chmodSync, cpSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { withPrivsepFolder } from "../../src/system/demo/privsep-folder.ts";
import { findProgram } from "../../src/system/kernel/programs.ts";
import { SSHD_BLOCKS } from "../support/markdown.ts";
import { nixgate } from "../support/nixgate.ts";
import { answerOf } from "../support/run-session.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { NIXGATE, workplace } from "../support/workplace.ts";

/** A site that lets everybody in by every way that sshd knows, in front of the block and behind it. */
const SITE = `TrustedUserCAKeys /etc/ssh/site-ca.pub
AuthorizedPrincipalsFile /etc/ssh/principals/%u
AuthorizedKeysCommand /usr/bin/site-keys %u
AuthorizedKeysCommandUser nobody
AuthenticationMethods any
PasswordAuthentication yes
KbdInteractiveAuthentication yes
HostbasedAuthentication yes
GSSAPIAuthentication yes
ForceCommand /usr/bin/site-command
AcceptEnv LANG SSH_*
AllowTcpForwarding yes
AllowAgentForwarding yes
X11Forwarding yes
PermitTunnel yes
PermitTTY yes
PermitUserRC yes
`;

/** What has to hold for a team's account, whatever the site says. */
const CLOSED = {
  authenticationmethods: "publickey",
  trustedusercakeys: "none",
  passwordauthentication: "no",
  kbdinteractiveauthentication: "no",
  hostbasedauthentication: "no",
  gssapiauthentication: "no",
  disableforwarding: "yes",
  permittunnel: "no",
  permittty: "no",
  permituserrc: "no",
};

/** More of the block that `nixgate render sshd` prints. */
const RENDERED = {
  ...CLOSED,
  forcecommand: "none",
  authorizedkeysfile: "none",
  acceptenv: "none",
  exposeauthinfo: "yes",
  clientaliveinterval: "30",
  clientalivecountmax: "3",
  maxsessions: "10",
  loglevel: "VERBOSE",
};

const blocks = [...SSHD_BLOCKS.values()];

function effective(config: string, user: string): Readonly<Record<string, string>> {
  const folder = temporaryFolder("sshd");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, "host")]);
  writeFileSync(join(folder, "config"), `HostKey ${join(folder, "host")}\n${config}`);
  const connection = `user=${user},host=client.example,addr=192.0.2.7`;
  const call = [findProgram("sshd") as string, "-T", "-f", join(folder, "config"), "-C", connection] as const;
  const { argv, tidy } = withPrivsepFolder(call, folder);
  const [program, ...words] = argv;
  const said = execFileSync(program, words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  tidy();
  return Object.fromEntries(said.split("\n").map((line) => [line.split(" ", 1)[0], line.slice(line.indexOf(" ") + 1)]));
}

describe("the blocks of docs/getting-started.md for sshd", () => {
  test("have one block for each way to name the member", () => {
    expect([...SSHD_BLOCKS.keys()]).toEqual(["AuthorizedKeysCommand", "AuthorizedKeysFile", "ForceCommand"]);
  });

  test.each(blocks.map((block) => [block]))("close every other way in:\n%s", (block) => {
    const before = effective(SITE, "nix-alpha");
    expect(before).toMatchObject({ trustedusercakeys: "/etc/ssh/site-ca.pub", permittty: "yes", permittunnel: "yes" });
    expect(effective(`${SITE}\n${block}`, "nix-alpha")).toMatchObject(CLOSED);
    expect(effective(`${SITE}\n${block}`, "somebody")).toMatchObject({ permittty: "yes" });
  });

  test("accept no keys but their own", () => {
    const [byCommand = "", byFile = ""] = blocks;
    expect(effective(SITE, "nix-alpha")).toMatchObject({ forcecommand: "/usr/bin/site-command" });
    for (const block of [byCommand, byFile])
      expect(effective(SITE + block, "nix-alpha")).toMatchObject({ forcecommand: "none" });
    expect(effective(SITE + byCommand, "nix-alpha")).toMatchObject({ authorizedkeysfile: "none" });
    expect(effective(SITE + byFile, "nix-alpha")).toMatchObject({
      authorizedkeysfile: "/etc/ssh/nixgate-keys/%u",
      authorizedkeyscommand: "none",
    });
  });
});

describe("nixgate render sshd", () => {
  /** `daemon` is an account that every Unix has. */
  function place() {
    const made = workplace();
    made.edit("policies/alpha.toml", 'team = "alpha"', 'team = "daemon"');
    renameSync(join(made.config, "policies/alpha.toml"), join(made.config, "policies/daemon.toml"));
    return made;
  }

  test("prints a block that sshd takes, with the paths of this program and of this configuration", async () => {
    const { config } = place();
    const { status, stdout } = await nixgate(["render", "sshd", "--config-dir", config]);
    expect(status).toBe(0);
    const printed = `${SITE}\n${stdout}`; // its other lines are comments
    const command = `${NIXGATE} authorized-keys --user %u --fingerprint %f --config-dir ${config}`;
    for (const user of ["nix-alpha", "nix-of-no-team", "daemon"])
      expect(effective(printed, user)).toMatchObject({ ...RENDERED, authorizedkeyscommand: command });
    expect(effective(printed, "somebody")).toMatchObject({ permittty: "yes", acceptenv: "SSH_*" });
  });

  test("says that sshd would refuse the program, where another account could replace it", async () => {
    const { config, folder } = place();
    const copy = join(folder, "copy");
    for (const name of ["bin", "dist", "package.json"]) cpSync(name, join(copy, name), { recursive: true });
    chmodSync(copy, 0o777);
    const { stdout } = await answerOf(spawn(join(copy, "bin/nixgate"), ["render", "sshd", "--config-dir", config]));
    expect(`${stdout}`).toContain("sshd refuses an AuthorizedKeysCommand below it");
    expect(effective(`${stdout}`, "nix-alpha")).toMatchObject(RENDERED);
  });

  test("writes no path that sshd_config would read as several words", async () => {
    const { config, folder } = place();
    const spaced = join(folder, "a b");
    renameSync(config, spaced);
    const { status, stdout, stderr } = await nixgate(["render", "sshd", "--config-dir", spaced]);
    expect({ status, stdout: `${stdout}` }).toEqual({ status: 64, stdout: "" });
    expect(stderr).toContain("cannot be written into sshd_config");
  });
});
