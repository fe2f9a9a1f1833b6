import { expect } from "vitest";
import { isServeAnswer, serveHello } from "../../support/nix-protocol.ts";
import { waitFor } from "../../support/wait-for.ts";
import { editHost, letEpsIn } from "../policies.ts";
import { lastEnd, restarted, test, text } from "../supervision.ts";
import type { Guest } from "../support.ts";
import { awaitProcess, startClient } from "../waiting-client.ts";

const UNITS = "/etc/systemd/system";

const apply = async (guest: Guest, ...words: string[]) => {
  const { exitCode, stdout, stderr } = await guest.asRoot(`nixgate apply ${words.join(" ")}`);
  return { exitCode, lines: `${stdout}`.trim().split("\n"), stderr: `${stderr}` };
};
const NOTHING = { exitCode: 0, lines: ["nothing to change"], stderr: "" };
const check = (guest: Guest) => text(guest, "nixgate check");
const serves = async (guest: Guest, user: string) => {
  const { exitCode, stdout, stderr } = await guest.ssh(user, "nix-store --serve", { input: serveHello });
  return { exitCode, isServed: isServeAnswer(stdout), stderr: `${stderr}` };
};
const SERVED = { exitCode: 0, isServed: true, stderr: "" };

test("check finds nothing missing on a host set up as in docs/supervisor.md", async ({ builder }) => {
  expect(await apply(builder)).toEqual(NOTHING);
  expect(await check(builder)).toMatch(/no errors, \d+ warnings?$|no warnings$/);
  expect(await check(builder)).not.toContain("nixgate apply");
});

test("the sockets that were enabled once start at the next boot", async ({ builder }) => {
  expect(await text(builder, "ls /etc/systemd/system/*.wants | grep nixgate")).toBe("nixgate.service");
  const names = "nixgate.socket nixgate-alpha.socket nixgate-beta.socket nixgate-gamma.socket nixgate-seal.timer";
  await builder.asRoot(`systemctl stop nixgate.service ${names}`);
  expect(await serves(builder, "nix-alpha")).toMatchObject({
    exitCode: 78,
    stderr: "nixgate: this builder is not set up for team alpha: its administrator runs nixgate apply\n",
  });
  // as a boot does: whatever the target wants is started, if it does not run
  await builder.asRoot("systemctl start multi-user.target");
  await restarted(builder);
  expect(await text(builder, `systemctl is-active ${names} nixgate.service | sort -u`)).toBe("active");
  expect(await serves(builder, "nix-alpha")).toEqual(SERVED);
});

test("adding and removing a team does not disturb a running session", { timeout: 120_000 }, async ({ builder }) => {
  const session = builder.ssh("nix-alpha", "brief");
  await awaitProcess(builder, "sleep 4");
  await letEpsIn(builder);
  expect(await serves(builder, "nix-eps")).toMatchObject({ exitCode: 78 });
  expect(await check(builder)).toContain(`${UNITS}/nixgate-eps.socket: warning: is missing`);
  const shown = await apply(builder);
  expect(shown.lines).toContain(`write ${UNITS}/nixgate-eps.socket: is missing`);
  expect(await serves(builder, "nix-eps")).toMatchObject({ exitCode: 78 });
  expect((await apply(builder, "--yes")).exitCode).toBe(0);
  expect((await session).exitCode).toBe(6);
  await restarted(builder);
  expect(await serves(builder, "nix-eps")).toEqual(SERVED);
  expect(await apply(builder)).toEqual(NOTHING);

  await builder.asRoot("rm /etc/nixgate/policies/eps.toml");
  using client = startClient(builder, "wait");
  await awaitProcess(builder, "sleep 60");
  expect(await check(builder)).toContain(`${UNITS}/nixgate-eps.socket: warning: is left over`);
  expect((await apply(builder, "--yes")).exitCode).toBe(0);
  const left = `ls -d ${UNITS}/*eps* ${UNITS}/user@1010* /run/nixgate/eps/requests; systemctl is-active nixgate-eps.socket`;
  expect(await text(builder, `(${left}) 2>/dev/null`)).toBe("inactive");
  expect(await text(builder, "systemctl show user@1010.service -P Type")).not.toBe("oneshot");
  // its systemd says over a socket of PID 1's that it is ready
  expect(await text(builder, "systemctl is-active user@1010.service")).toBe("active");
  const listed = await builder.asAccount("nix-alpha", "ls /run/systemd/userdb 2>&1");
  expect(`${listed.stdout}`).toContain("Permission denied");
  expect(await apply(builder)).toEqual(NOTHING);
  expect(client.exitCode).toBeNull();
  expect(await text(builder, "pgrep -u nix-alpha -fx '/bin/sleep 60'")).not.toBe("");
  await builder.asRoot(
    "userdel --remove nix-eps; rm /etc/ssh/sshd_config.d/20-eps.conf; systemctl restart ssh.service",
  );
});

test("a session between two commands is not ended: the restart waits for it", async ({ builder }) => {
  using loop = startClient(builder);
  loop.stdin?.write("echo started\n");
  await waitFor("its answer", () => new Promise((answered) => loop.stdout?.once("data", () => answered(true))));
  await editHost(builder, 's,^directory = .*,directory = "/var/log/elsewhere",');
  await builder.asRoot("install -d -m 755 /var/log/elsewhere");
  await builder.asRoot("mkdir -p /var/log/elsewhere && cp -a /var/log/nixgate/. /var/log/elsewhere/");
  const held = await apply(builder, "--yes");
  expect([held.exitCode, held.lines.join("\n")]).toEqual([
    75,
    expect.stringContaining("1 session between two commands would end"),
  ]);
  loop.stdin?.end();
  await waitFor("its end", async () => (await lastEnd(builder)) !== undefined && loop.exitCode !== null);
  expect((await builder.ssh("nix-alpha", "quick")).exitCode).toBe(73); // the unit's ReadWritePaths are stale
  expect((await apply(builder, "--yes")).exitCode).toBe(0);
  await restarted(builder);
  expect(await serves(builder, "nix-alpha")).toEqual(SERVED);
  expect(await text(builder, "cat /var/log/elsewhere/alpha/*.jsonl | tail -1")).toContain("session.end");
  await editHost(builder, 's,^directory = .*,directory = "/var/log/nixgate",');
  expect((await apply(builder, "--yes")).exitCode).toBe(0);
  await builder.asRoot("rm -r /var/log/elsewhere");
  await restarted(builder);
});

test("apply reports files that were changed by hand or belong to no team, and leaves them alone", async ({
  builder,
}) => {
  await builder.asRoot(`echo '# mine' >>${UNITS}/nixgate.socket`);
  expect(await check(builder)).toContain(`${UNITS}/nixgate.socket: warning: was changed by hand`);
  await builder.asRoot(`mv ${UNITS}/nixgate.socket /root/ && echo '[Socket]' >${UNITS}/nixgate.socket`);
  expect(await apply(builder, "--yes")).toMatchObject({
    exitCode: 73,
    stderr: expect.stringContaining(`not made by nixgate from this configuration: ${UNITS}/nixgate.socket`),
  });
  expect(await text(builder, `cat ${UNITS}/nixgate.socket`)).toBe("[Socket]");
  await builder.asRoot(`rm ${UNITS}/nixgate.socket`);
  expect((await apply(builder, "--yes")).exitCode).toBe(0);
  expect(await apply(builder)).toEqual(NOTHING);
  expect(`${(await builder.asAccount("nix-alpha", "nixgate apply --yes; echo $?")).stdout}`).toBe("77\n");
});

test("a FIFO of an earlier nixgate that its account owns becomes root's", async ({ builder }) => {
  const fifo = "/run/nixgate/alpha/requests";
  await builder.asRoot(`chown nix-alpha ${fifo}; chmod 200 ${fifo}`);
  expect((await apply(builder, "--yes")).lines).toEqual([
    expect.stringMatching(/^systemctl stop nixgate-alpha\.socket: /),
    expect.stringMatching(/^systemctl restart nixgate\.service: /),
    "2 changes made",
  ]);
  await restarted(builder);
  expect(await text(builder, `stat -c '%U %G %a' ${fifo}`)).toBe("root nix-alpha 620");
  expect(await serves(builder, "nix-alpha")).toEqual(SERVED);
  expect(await apply(builder)).toEqual(NOTHING);
});
