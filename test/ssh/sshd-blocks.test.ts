import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { withPrivsepFolder } from "../../src/system/demo/privsep-folder.ts";
import { findProgram } from "../../src/system/kernel/programs.ts";
import { SSHD_BLOCKS } from "../support/markdown.ts";
import { temporaryFolder } from "../support/temporary.ts";

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
  test("are one for each way to say who it is", () => {
    expect([...SSHD_BLOCKS.keys()]).toEqual(["AuthorizedKeysCommand", "AuthorizedKeysFile", "ForceCommand"]);
  });

  test.each(blocks.map((block) => [block]))("close every other way in:\n%s", (block) => {
    const before = effective(SITE, "nix-alpha");
    expect(before).toMatchObject({ trustedusercakeys: "/etc/ssh/site-ca.pub", permittty: "yes", permittunnel: "yes" });
    expect(effective(`${SITE}\n${block}`, "nix-alpha")).toMatchObject(CLOSED);
    expect(effective(`${SITE}\n${block}`, "somebody")).toMatchObject({ permittty: "yes" });
  });

  test("decide alone which keys count", () => {
    const [byCommand = "", byFile = ""] = blocks;
    expect(effective(SITE + byCommand, "nix-alpha")).toMatchObject({ authorizedkeysfile: "none" });
    expect(effective(SITE + byFile, "nix-alpha")).toMatchObject({
      authorizedkeysfile: "/etc/ssh/nixgate-keys/%u",
      authorizedkeyscommand: "none",
    });
  });
});
