import { expect } from "vitest";
import { supervised } from "./managers.ts";
import { test, text } from "./operator.ts";
import { allow, edit, editHost } from "./policies.ts";

const LOG = "/var/log/nixgate";

test("check looks at the host's files and programs as the teams' accounts see them", async ({ builder }) => {
  const said = () => text(builder, "nixgate check");
  const warnings = async () =>
    (await said()).split("\n").filter((line) => /: warning: /.test(line) && !/store-serve/.test(line));
  // the supervisor's host has closed Debian's folder of the Nix daemon already
  if (!supervised(builder)) {
    const [open, ...others] = await warnings();
    expect(open).toContain("nix-alpha may write to /nix/var/nix/daemon-socket");
    expect(others).toHaveLength(2);
    await builder.asRoot(/echo 'a\+ .*$/m.exec(await said())?.[0] ?? "false");
  }
  expect(await warnings()).toEqual([]);

  await builder.asRoot("install -m 700 -o root /bin/true /usr/local/bin/for-root-alone");
  await allow(builder, "alpha", { "for-root": ["/usr/local/bin/for-root-alone"] });
  await edit(builder, "beta", 's/^MemoryMax = .*/MemoryMax = "900G"/');
  await editHost(builder, 's,^nix-daemon = .*,nix-daemon = "/usr/bin/nix-deamon",');
  const strangers = supervised(builder) ? "nobody" : "root";
  await builder.asRoot(
    `mkdir -p ${LOG}/gamma; chown --reference=${LOG} ${LOG}/gamma; chown ${strangers}: ${LOG}/gamma`,
  );
  const found = (await warnings()).join("\n");
  expect(found).toMatch(/nixgate\.toml:\d+: warning: programs\.nix-daemon: \/usr\/bin\/nix-deamon does not exist/);
  expect(found).toMatch(
    /alpha\.toml:\d+: warning: allow\[\d+\]\.run: .*for-root-alone cannot be executed by the account/,
  );
  expect(found).toMatch(/beta\.toml:\d+: warning: (?:team_)?limits\.MemoryMax: 900G is above this host's memory/);
  expect(found).toMatch(/gamma\.toml:\d+: warning: team: \/var\/log\/nixgate\/gamma belongs to uid \d+/);

  const explained = await builder.asRoot("nixgate explain --team alpha -- for-root");
  expect(explained.exitCode, `${explained.stdout}`).toBe(78);
  const served = await builder.ssh("nix-alpha", "for-root");
  expect(served.exitCode, `${served.stderr}`).toBe(78);
  await builder.asRoot(`rm -rf ${LOG}/gamma; rm /usr/local/bin/for-root-alone`);
});
