import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../support/temporary.ts";

/** What debhelper puts into the postinst of a package with a service (dh_installsystemd(1)). */
const POSTINST = `#!/bin/sh
set -e
deb-systemd-helper unmask ssh.service >/dev/null || true
if deb-systemd-helper --quiet was-enabled ssh.service; then
  deb-systemd-helper enable ssh.service >/dev/null || true
fi
`;
const CONTROL = `Package: openssh-server
Version: 1:99-1
Architecture: all
Maintainer: nobody <nobody@example.org>
Description: stands in for a package with a service
`;
const SERVICE = "[Service]\nExecStart=/usr/sbin/sshd\n[Install]\nWantedBy=multi-user.target\nAlias=sshd.service\n";

/** In a copy of this machine, which is gone with the process: apt knows one archive, and there is no sshd. */
const IN_A_COPY = `set -e
mount -t tmpfs -o size=300m copy /mnt && cd /mnt && mkdir up work root
mount -t overlay -o lowerdir=/,upperdir=/mnt/up,workdir=/mnt/work copy root
mount --rbind /proc root/proc && mount --rbind /dev root/dev
for folder in tmp run; do mount -t tmpfs copy "root/$folder"; done
cp -r "$1" root/setup
exec chroot root sh -ec '
  dpkg --purge --force-depends openssh-server >/dev/null 2>&1 || true
  rm -rf /usr/sbin/policy-rc.d /var/lib/systemd/deb-systemd-helper-enabled/*ssh* /etc/apt/sources.list /etc/apt/sources.list.d
  find /etc/systemd/system /etc/rc[S2345].d -name "*ssh*" -type l -delete 2>/dev/null
  ln -s /lib/systemd/system/cron.service /etc/systemd/system/multi-user.target.wants/mine.service
  echo "deb [trusted=yes] file:/setup/archive ./" >/etc/apt/sources.list
  sh /setup/scripts/setup.sh system >&2
  ls /usr/sbin/sshd
  find /etc/systemd/system /etc/rc[S2345].d -type l | grep -E "wants/mine|/sshd?[.]|S[0-9]+ssh" || true
  ls /usr/sbin/policy-rc.d 2>&1 | grep -v "No such" || true'`;

const mayMount =
  spawnSync("unshare", [
    "--mount",
    "sh",
    "-c",
    "mount -t tmpfs t /mnt && mkdir /mnt/u /mnt/w /mnt/r && mount -t overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w o /mnt/r",
  ]).status === 0;
const debian = spawnSync("dpkg-deb", ["--version"]).status === 0;

test.skipIf(!mayMount || !debian)(
  "what setup.sh installs starts neither now nor at the next boot, and what was enabled before stays so (needs root on Debian, overlayfs)",
  () => {
    const folder = temporaryFolder("setup");
    const root = join(folder, "package");
    for (const name of ["DEBIAN", "usr/sbin", "lib/systemd/system"]) mkdirSync(join(root, name), { recursive: true });
    writeFileSync(join(root, "DEBIAN/control"), CONTROL);
    writeFileSync(join(root, "DEBIAN/postinst"), POSTINST, { mode: 0o755 });
    writeFileSync(join(root, "usr/sbin/sshd"), "#!/bin/sh\n", { mode: 0o755 });
    writeFileSync(join(root, "lib/systemd/system/ssh.service"), SERVICE);
    const archive = join(folder, "copy/archive");
    mkdirSync(archive, { recursive: true });
    cpSync("scripts", join(folder, "copy/scripts"), { recursive: true });
    const run = (program: string, ...words: string[]) => spawnSync(program, words, { encoding: "utf8" });
    const deb = join(archive, "openssh-server.deb");
    expect(run("dpkg-deb", "--root-owner-group", "--build", root, deb)).toMatchObject({ status: 0 });
    const [sha256] = run("sha256sum", deb).stdout.split(" ");
    const size = run("stat", "--format=%s", deb).stdout.trim();
    writeFileSync(
      join(archive, "Packages"),
      `${CONTROL}Filename: ./openssh-server.deb\nSize: ${size}\nSHA256: ${sha256}\n`,
    );

    const done = run("unshare", "--mount", "sh", "-c", IN_A_COPY, "copy", join(folder, "copy"));
    expect(done.status, done.stderr).toBe(0);
    expect(done.stdout.trim().split("\n")).toEqual([
      "/usr/sbin/sshd",
      "/etc/systemd/system/multi-user.target.wants/mine.service",
    ]);
    expect(done.stderr).toContain("To undo it: apt-get purge openssh-server");
  },
  120_000,
);
