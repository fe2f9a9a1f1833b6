import { describe, expect } from "vitest";
import { waitFor } from "../../support/wait-for.ts";
import { allow, editHost } from "../policies.ts";
import { recordsOf } from "../records.ts";
import { lastEnd, test as plain, text } from "../supervision.ts";
import type { Guest } from "../support.ts";
import { awaitProcess } from "../waiting-client.ts";

/** Doors by which an account's processes come to be elsewhere than in its sessions' scopes: they are all tried here. */
const test = plain.extend<{ code: true }>({
  code: [
    async ({ builder }, use) => {
      await allow(builder, "alpha", { code: ["/bin/sh", "-s"] });
      await allow(builder, "beta", { code: ["/bin/sh", "-s"] });
      await builder.asRoot("systemctl start systemd-machined.service nixgate-seal.service");
      await use(true);
      await builder.asRoot(
        "sed -i '/pam_systemd/d' /etc/pam.d/cron /etc/pam.d/atd; systemctl stop cron atd; loginctl enable-linger nix-alpha",
      );
    },
    { scope: "file", auto: true },
  ],
});

const inSession = async (guest: Guest, input: string, user = "nix-alpha") =>
  `${(await guest.ssh(user, "code", { input })).stdout}`.trim();
const MANAGER = "org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager";

/** Lines of sh: each is to fail. `worked` of those that did not is printed. */
const DOORS = [
  "busctl list",
  "loginctl enable-linger",
  "loginctl attach seat0 /sys/class/net/lo",
  "systemd-run --wait true",
  "systemd-run --user --wait true",
  "dbus-run-session -- systemd-run --user --wait true",
  "systemctl --user daemon-reexec",
  "machinectl shell .host /bin/true",
  "ls /run/systemd/machine",
  "systemd-nspawn --quiet --directory=/ true",
  "pkexec true",
  "su -c true nix-alpha",
  "sudo -n true",
  "newgrp nix-alpha </dev/null | grep -q . ",
  "nsenter --target 1 --mount true",
  "nsenter --target 1 --cgroup true",
  // a namespace of its own shows its cgroup as the root of all: that is root's all the same
  "unshare -UrCm sh -c 'mount -t cgroup2 none /mnt && mkdir /mnt/own'",
  "unshare -UrCm sh -c 'mount -t cgroup2 none /mnt && echo $$ >/mnt/cgroup.procs'",
  "for other in $(ls -d /sys/fs/cgroup/nixgate.slice/nixgate-alpha.slice/*.scope); do case $(cat /proc/self/cgroup) in *$(basename $other)) ;; *) (echo $$ >$other/cgroup.procs) && exit 0 ;; esac; done; false",
  // cron and at take jobs by programs that are set-group-ID: a session has no_new_privs
  "echo '* * * * * true' | crontab -",
  "cd /tmp; echo true | at now",
  // whoever can write there can take the place of the host's Nix daemon for all teams
  "touch /nix/var/nix/daemon-socket/mine",
];
const TRY_DOORS = DOORS.map((door) => `(${door}) >/dev/null 2>&1 </dev/null && cat <<'DOOR'\nworked: ${door}\nDOOR`)
  .concat("find /sys/fs/cgroup -user $(id -u); echo tried", "exit 0")
  .join("\n");

test("code of a session gets out by no door of the host's, in its own sandbox or without", async ({ builder }) => {
  const other = builder.ssh("nix-alpha", "brief");
  await awaitProcess(builder, "sleep 4");
  const plainly = await inSession(builder, TRY_DOORS);
  await other;
  await editHost(builder, 's/^manager = "system".*/&\\nconfine = true/');
  const confined = await inSession(builder, TRY_DOORS);
  await editHost(builder, "/^confine = true/d");
  expect([plainly, confined]).toEqual(["tried", "tried"]);
  expect(await lastEnd(builder)).toMatchObject({ strays: 0, cause: "exit" });
});

test("timers, services and an autostart in the account's home start nothing, with linger and at a login", async ({
  builder,
}) => {
  const unit = "printf '[Service]\\nExecStart=/bin/sh -c \"echo ran >>ran-by-itself; sleep 709\"\\n' >evil.service";
  const timer = "printf '[Timer]\\nOnActiveSec=0\\nOnUnitActiveSec=1\\n' >evil.timer";
  const links = "ln -s ../evil.timer timers.target.wants; ln -s ../evil.service default.target.wants";
  const home = `mkdir -p .config/autostart .config/systemd/user/timers.target.wants .config/systemd/user/default.target.wants
    printf '[Desktop Entry]\\nType=Application\\nExec=/bin/sh -c "echo ran >>ran-by-itself"\\n' >.config/autostart/evil.desktop
    cd .config/systemd/user; ${unit}; ${timer}; ${links}`;
  expect((await builder.asAccount("nix-alpha", home)).exitCode).toBe(0);
  await builder.asRoot("loginctl enable-linger nix-alpha; systemctl restart user@1001.service");
  await builder.ssh("nix-alpha", "quick");
  const manager = "systemctl show --property=ActiveState,MainPID,ControlGroup user@1001.service | sort | xargs";
  expect(await text(builder, manager)).toBe("ActiveState=active ControlGroup= MainPID=0");
  expect(
    await text(builder, "pgrep -u nix-alpha; ls /home/nix-alpha/ran-by-itself /run/user/1001/systemd 2>&1"),
  ).toMatch(/^ls: cannot access '\/home\/nix-alpha\/ran-by-itself'.*\nls: cannot access '\/run\/user\/1001\/systemd'/);
  await builder.asAccount("nix-alpha", "rm -r .config");
});

describe("a job of cron's and one of at's", () => {
  const attach = `busctl call ${MANAGER} AttachProcessesToUnit ssau`;
  const own = "user@1001.service user-1001.slice $(basename $(cut -d: -f3 /proc/$$/cgroup))";
  const JOB = `cd; for unit in ${own}; do ${attach} $unit "" 1 $$ && echo "moved to $unit"; done >>job-said
    for door in 'systemd-run --user --wait true' 'systemd-run --wait true' 'loginctl enable-linger' 'pkexec true' 'machinectl shell .host /bin/true'; do
      $door </dev/null >/dev/null && echo "worked: $door"
    done >>job-said
    cut -d: -f3 /proc/$$/cgroup >>job-is-in; exec sleep 71$1`;

  test("own no unit with whatever PAM begins for them, and are ended at a session's end", async ({ builder }) => {
    // as an administrator may have it, who gives cron the modules of a login
    const pam = "sed -i '/^session.*pam_limits/a session optional pam_systemd.so' /etc/pam.d/cron /etc/pam.d/atd";
    const alone = "loginctl disable-linger nix-alpha; systemctl stop user@1001.service user-1001.slice";
    await builder.asRoot(`${pam}; ${alone}; systemctl start cron.service atd.service`);
    await builder.asAccount(
      "nix-alpha",
      `cat >job <<'JOB'\n${JOB}\nJOB\necho 'cd; exec sh job 0' | at now; echo '* * * * * exec sh job 1' | crontab -`,
    );
    const jobs = () => text(builder, "sort -u /home/nix-alpha/job-is-in | wc -l");
    await waitFor("both jobs", async () => (await jobs()) === "2", 150_000);
    await builder.asAccount("nix-alpha", "crontab -r");
    const places = await text(builder, "cat /home/nix-alpha/job-is-in");
    expect(places).toMatch(/^(?:\/user\.slice\/user-1001\.slice\/session-\d+\.scope\n?){2,}$/);
    expect(await text(builder, "systemctl is-active user@1001.service")).toBe("active");
    const session = builder.ssh("nix-alpha", "brief");
    await awaitProcess(builder, "sleep 4");
    // systemd asks whose the folder of a unit's cgroup is before it moves a process there
    expect(await text(builder, "find /sys/fs/cgroup -user nix-alpha")).toBe("");
    const units =
      "systemctl list-units --all --plain --no-legend 'user@1001*' 'user-1001*' 'session-*.scope' | cut -d' ' -f1";
    const delegated = `systemctl show --property=Delegate --value $(${units}) | sort -u | xargs`;
    expect(await text(builder, delegated)).toBe("no");
    await session;
    expect(await text(builder, "cat /home/nix-alpha/job-said; pgrep -u nix-alpha sleep")).toBe("");
    expect((await lastEnd(builder))?.strays).toBeGreaterThanOrEqual(2);
  }, 240_000);

  test("begin no session, in nobody's name", async ({ builder }) => {
    const shim = 'SSH_CONNECTION="203.0.113.9 4711 192.0.2.2 22" SSH_ORIGINAL_COMMAND=quick nixgate-shim alpha boss';
    const job = `cd; export PATH=/usr/local/bin:$PATH; ${shim}; echo $? >shim-said`;
    await builder.asAccount("nix-alpha", `rm -f shim-said; echo '${job}' | at now`);
    const said = await waitFor("its end", () => text(builder, "cat /home/nix-alpha/shim-said 2>/dev/null"), 150_000);
    expect(said).toBe("77");
    expect((await recordsOf(builder, "alpha", "session.refuse")).at(-1)).toMatchObject({ reason: "not-by-sshd" });
  }, 180_000);
});

describe("objects of sysvipc(7), mq_overview(7) and shm_overview(7)", () => {
  const MAKE = `ipcmk -M 4096; ipcmk -Q; ipcmk -S 1; perl -e 'syscall(240, "mine-$ARGV[0]", 0102, 0600, 0) < 0 and die $!' $$
    mkdir -p /dev/shm/tree-$$/deep/er; echo x >/dev/shm/tree-$$/deep/er/x; echo x >/dev/shm/file-$$
    ln -s /home/nix-alpha/kept /dev/shm/link-$$; chmod 0 /dev/shm/tree-$$/deep`;
  /** How many are whose they are, on the host: System V objects, then files. */
  const LEFT = `for who in alpha beta; do
    cat /proc/sysvipc/shm /proc/sysvipc/msg /proc/sysvipc/sem | grep -cw "$(id -u nix-$who)"; find /dev/shm /dev/mqueue -mindepth 1 -maxdepth 1 -user nix-$who | wc -l
  done | xargs`;
  // with linger logind removes nothing of the account's itself (RemoveIPC= of logind.conf(5))
  const alone = (guest: Guest) =>
    text(
      guest,
      "loginctl enable-linger nix-alpha; pkill -KILL -u nix-alpha; ipcrm --all; rm -rf /dev/shm/* /dev/mqueue/*",
    );

  test("stay while a session of their account runs, and go with its last", async ({ builder }) => {
    await alone(builder);
    await builder.asAccount("nix-alpha", "mkdir -p kept; echo x >kept/x");
    const beside = builder.ssh("nix-alpha", "code", { input: "sleep 25" });
    await awaitProcess(builder, "^sleep 25");
    await inSession(builder, MAKE);
    await inSession(builder, MAKE, "nix-beta");
    const during = await text(builder, LEFT);
    await beside;
    await waitFor("alpha's to go", async () => (await text(builder, LEFT)).startsWith("0 0 "));
    await waitFor("beta's to go", async () => (await text(builder, LEFT)) === "0 0 0 0");
    expect(during).toMatch(/^3 4 /);
    expect(await text(builder, "cat /home/nix-alpha/kept/x")).toBe("x");
    expect(await text(builder, "journalctl -u nixgate.service -o cat | grep -c 'could not be removed'")).toBe("0");
  }, 120_000);

  test("of another account and of root stay, and so do those of a process that is no session's", async ({
    builder,
  }) => {
    await alone(builder);
    await builder.asRoot(
      `echo root >/dev/shm/roots; ipcmk -Q; setpriv --reuid nix-gamma --clear-groups sh -c '${"ipcmk -Q; echo x >/dev/shm/gammas"}'`,
    );
    const login = builder.asAccount("nix-alpha", "ipcmk -Q; echo x >/dev/shm/mine; sleep 20");
    await awaitProcess(builder, "^sleep 20");
    await builder.ssh("nix-alpha", "quick");
    await login;
    expect(await text(builder, "ls /dev/shm | xargs; grep -c . /proc/sysvipc/msg")).toBe("gammas mine roots\n4");
    await builder.ssh("nix-alpha", "quick");
    await waitFor(
      "its own to go",
      async () => (await text(builder, "ls /dev/shm | xargs; grep -c . /proc/sysvipc/msg")) === "gammas roots\n3",
    );
    await alone(builder);
  }, 120_000);

  test("in a folder of another account stay, so that no team can make another's removal long", async ({ builder }) => {
    await alone(builder);
    await builder.asAccount("nix-gamma", "mkdir -m 0777 /dev/shm/gammas");
    await inSession(builder, "echo x >/dev/shm/gammas/alphas; mkdir -p /dev/shm/own/deep");
    await waitFor(
      "its own to go",
      async () => (await text(builder, "ls -R /dev/shm | xargs")).includes("own") === false,
    );
    expect(await text(builder, "find /dev/shm -type f")).toBe("/dev/shm/gammas/alphas");
    await alone(builder);
  }, 60_000);

  test("that take long to remove delay no session of their account", async ({ builder }) => {
    await alone(builder);
    const many = `perl -e 'mkdir "/dev/shm/many"; for (1 .. 80000) { open my $file, ">", "/dev/shm/many/$_" or die }'`;
    await inSession(builder, many);
    const removals = `journalctl -o cat -u 'nixgate-alpha-*-ipc.service'`;
    await waitFor(
      "the removal",
      async () => (await text(builder, `${removals} | tail -1`)).startsWith("Starting"),
      10_000,
    );
    await builder.ssh("nix-alpha", "quick");
    // the session that began ended the removal, and its own end began another
    expect(await text(builder, `${removals} | grep -c status=9/KILL`)).not.toBe("0");
    await waitFor("the rest to go", async () => (await text(builder, LEFT)) === "0 0 0 0", 60_000);
    expect(await text(builder, "journalctl -u nixgate.service -o cat | grep -c 'could not be removed'")).toBe("0");
  }, 180_000);

  test("are a confined command's own, and go with it", async ({ builder }) => {
    await alone(builder);
    await editHost(builder, 's/^manager = "system".*/&\\nconfine = true/');
    const seen = "ipcs | grep -c '^0x'; ls /dev/shm | wc -l";
    const session = builder.ssh("nix-alpha", "code", { input: `exec 2>&1; ${MAKE}; ${seen}; sleep 9` });
    await awaitProcess(builder, "^sleep 9");
    const outside = await text(builder, LEFT);
    const { stdout } = await session;
    await editHost(builder, "/^confine = true/d");
    expect(`${stdout}`).toMatch(/\n3\n3\n$/);
    expect(outside).toBe("0 0 0 0");
    expect(await text(builder, LEFT)).toBe("0 0 0 0");
  });
});
