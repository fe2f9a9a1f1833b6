import { expect, test } from "vitest";
import { accountsOf } from "../../../src/policy/accounts.ts";
import { readPolicy } from "../../../src/policy/read-policy.ts";
import { reopened, socketAcl } from "../../../src/render/socket-acl.ts";
import { renderUnits } from "../../../src/render/units.ts";

const PLACES = {
  program: "/usr/bin/nixgate",
  version: "0.1.0",
  configDirectory: "/etc/nixgate",
  logDirectory: "/var/log/nixgate",
  gidOf: () => 2001,
};

async function policyOf(team: string) {
  const text = `schema = 1\nteam = "${team}"\n[team_limits]\nTasksMax = 999\n`;
  const checked = await readPolicy(text, `/etc/nixgate/policies/${team}.toml`);
  if (!checked.ok) throw new Error("the policy is wrong");
  return checked.value;
}

const uidOf = (account: string) => ({ "nix-a-b": 1001 })[account];

test("each team with an account has a FIFO of its own, a slice, and no systemd of its own", async () => {
  const policies = [await policyOf("a-b"), await policyOf("gone")];
  const { files, omitted } = renderUnits(policies, accountsOf, uidOf, PLACES);
  const texts = Object.fromEntries(files.map(({ path, text }) => [path.replace("/etc/systemd/system/", ""), text]));
  expect(Object.keys(texts)).toEqual([
    "nixgate.service",
    "nixgate.socket",
    "/etc/sysctl.d/50-nixgate.conf",
    "/etc/dbus-1/system.d/nixgate.conf",
    "/etc/tmpfiles.d/nixgate.conf",
    "nixgate-seal.service",
    "nixgate-seal.timer",
    "nixgate-a-b.socket",
    "nixgate-a\\x2db.slice",
    "user@1001.service.d/50-nixgate.conf",
  ]);
  expect(texts["nixgate-a-b.socket"]).toMatch(
    /ListenFIFO=\/run\/nixgate\/a-b\/requests\nSocketUser=root\nSocketGroup=2001\nSocketMode=0620\n/,
  );
  expect(texts["user@1001.service.d/50-nixgate.conf"]).toContain("\nDelegate=no\n");
  expect(texts["/etc/dbus-1/system.d/nixgate.conf"]).toContain(
    '<policy user="nix-a-b">\n    <deny send_destination="*"/>\n',
  );
  expect(texts["/etc/dbus-1/system.d/nixgate.conf"]).toContain(
    '    <deny user="nix-a-b"/>\n  </policy>\n</busconfig>\n',
  );
  expect(texts["/etc/sysctl.d/50-nixgate.conf"]).toMatch(/\nkernel\.yama\.ptrace_scope = 1\n$/);
  expect(texts["/etc/tmpfiles.d/nixgate.conf"]).toContain("\na+ /run/systemd/notify - - - - u:1001:---\n");
  expect(texts["/etc/tmpfiles.d/nixgate.conf"]).toContain("\na+ /nix/var/nix/daemon-socket - - - - m::r-x\n");
  expect(texts["nixgate.service"]).toContain(
    "\nExecStartPre=-+systemd-tmpfiles --create /etc/tmpfiles.d/nixgate.conf\n",
  );
  expect(texts["nixgate.socket"]).toContain("SocketMode=0600\n");
  expect(texts["nixgate-a\\x2db.slice"]).toContain("[Slice]\nTasksMax=999\n");
  expect(texts["nixgate.service"]).toContain("Sockets=nixgate.socket nixgate-a-b.socket\n");
  expect(texts["nixgate.service"]).not.toContain("--config-dir");
  expect(omitted).toMatchObject([{ about: "team gone: there is no account gone or nix-gone on this host" }]);
});

test("an account without a team any more is let back to what its systemd needs, and no other", () => {
  const [before, now] = [socketAcl([1001, 1002]).text, socketAcl([1002, 1003]).text];
  const open = "a+ /run/systemd/notify - - - - u:1001:rwx\na+ /run/systemd/userdb - - - - u:1001:r-x\n";
  expect(reopened(before, now)).toBe(open);
  expect(reopened(now, now)).toBe("");
  expect(reopened(before, "")).toContain("u:1001:rwx,u:1002:rwx\n");
});
