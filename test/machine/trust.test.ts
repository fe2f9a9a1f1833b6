import { expect } from "vitest";
import type { Finding } from "../../src/archive/finding.ts";
import { waitFor } from "../support/wait-for.ts";
import { supervised } from "./managers.ts";
import { allow, restorePolicies } from "./policies.ts";
import { recordsOf } from "./records.ts";
import { type Guest, test as plain } from "./support.ts";

const test = plain.extend<{ builder: Guest }>({
  builder: [
    async ({ guest }, use) => {
      await restorePolicies(guest);
      await allow(guest, "alpha", { hello: ["/bin/echo", "hello"], slow: ["/bin/sleep", "9"] });
      for (let count = 0; count < 3; count += 1) await guest.ssh("nix-alpha", "hello");
      await guest.asRoot("sleep 6; journalctl --sync"); // what is younger may still be on its way
      await use(guest);
      await restorePolicies(guest);
    },
    { scope: "file" },
  ],
});

const text = async (guest: Guest, command: string) => `${(await guest.asRoot(command)).stdout}`.trim();

async function verify(guest: Guest): Promise<{ findings: Finding[]; layers: Record<string, { what: string }> }> {
  return JSON.parse(await text(guest, "nixgate sessions verify --json"));
}

test("journalctl NIXGATE_TEAM=alpha shows a team's sessions in plain words, and of no other team", async ({
  builder,
}) => {
  const said = await text(builder, "journalctl --no-pager --output=cat NIXGATE_TEAM=alpha");
  expect(said).toContain("session started: team alpha");
  expect(said).toContain("command 1 started by rule");
  const others = "journalctl --no-pager --output=cat NIXGATE_TEAM=beta --since=-1min";
  expect(await text(builder, others)).not.toContain("team alpha");
});

test("a command's invocation id finds systemd's own journal entries about its scope", async ({ builder }) => {
  const start = (await recordsOf(builder, "alpha", "command.start")).at(-1);
  expect(start?.unit).toMatch(/^nixgate-alpha-.*\.scope$/);
  const said = async (match: string) => text(builder, `journalctl --no-pager --output=cat ${match}`);
  // systemd-run names the invocation from version 254 on
  const manager = supervised(builder) ? "" : "USER_";
  const byInvocation = start?.invocation === undefined ? [] : [`${manager}INVOCATION_ID=${start.invocation}`];
  for (const match of [...byInvocation, `${manager}UNIT=${start?.unit}`]) {
    const lines = await said(match);
    expect(lines).toMatch(/^Started .*nixgate-alpha-/m);
    expect(lines).toContain("command 1 started by rule"); // nixgate's own line stands beside systemd's
  }
});

/** By the service that render units prints, where there is one. */
const seal = (guest: Guest) =>
  guest.asRoot(supervised(guest) ? "systemctl start nixgate-seal.service" : "nixgate sessions seal");

test("verify accepts an untouched archive of another account in all three layers, with root's seals", async ({
  builder,
}) => {
  expect((await seal(builder)).exitCode).toBe(0);
  expect(await text(builder, "stat -c '%U %a' /var/lib/nixgate/seal.key")).toBe("root 600");
  const { findings, layers } = await verify(builder);
  expect(findings).toEqual([]);
  expect(layers["journal"]?.what).toMatch(/copies, alpha from /);
  expect(layers["seal"]?.what).toMatch(/^\d+ seals?, the last at /);
});

test("an account can verify the chain of its own files, and reads which layers it cannot", async ({ builder }) => {
  const { stdout, stderr } = await builder.asAccount("nix-alpha", "nixgate sessions verify");
  if (supervised(builder)) expect(`${stderr}`).toMatch(/alpha: cannot be read: EACCES/);
  expect(`${stdout}`).toMatch(/^seal {5}not used: .*(EACCES|only root)/m);
});

test("root finds changes that a file's owner made, and does not accept another account's forged copies", async ({
  builder,
}) => {
  const file = await text(builder, "ls /var/log/nixgate/alpha/*.jsonl | tail -n 1");
  await builder.asRoot(`cp -p ${file} /root/kept`);
  const record = await text(builder, `head -n 1 ${file}`);
  try {
    const spoil = `sed -i '1,4d' ${file}`;
    await (supervised(builder) ? builder.asRoot(spoil) : builder.asAccount("nix-alpha", spoil));
    const { findings } = await verify(builder);
    const layers = new Set(findings.map(({ layer }) => layer));
    expect(layers).toContain("journal");
    expect(layers).toContain("seal");
  } finally {
    await builder.asRoot(`cp -p /root/kept ${file}`);
  }
  const other = record.replaceAll(/"session":"[^"]*"/g, '"session":"01900000-0000-7000-8000-000000000000"');
  const entry = `MESSAGE_ID=82865cc85b5b4119a4cb670dd47fb8eb\nNIXGATE_RECORD=${other}\n`;
  await builder.asAccount("nix-beta", `logger --journald <<'EOF'\n${entry}EOF`);
  expect((await verify(builder)).findings).toEqual([]);
});

test("verify finds nothing after root has pruned an account's files", async ({ builder }) => {
  const folder = "/var/log/nixgate/alpha";
  await builder.asRoot(`install -o nix-alpha -g nix-alpha -m 640 /dev/null ${folder}/2026-01-05.jsonl`);
  expect((await seal(builder)).exitCode).toBe(0);
  const pruned = await text(builder, "nixgate sessions prune --clock-is-right --older-than 30d");
  expect(pruned).toMatch(/2026-01-05\.jsonl: .*removed, on record$/m);
  expect(await text(builder, `ls ${folder}`)).not.toContain("2026-01-05");
  expect((await verify(builder)).findings).toEqual([]);
});

test("midnight and a clock set back by days leave the records in order", async ({ builder }) => {
  const now = Number(await text(builder, "date +%s"));
  const began = performance.now();
  try {
    await builder.asRoot("date --set='2027-03-01 23:59:54 UTC'");
    const over = builder.ssh("nix-alpha", "sh", { input: "slow\nslow\nhello\n" });
    const isNextDay = ({ time }: { time: string }) => time.startsWith("2027-03-02");
    await waitFor(
      "the next day",
      async () => (await recordsOf(builder, "alpha", "command.end")).some(isNextDay),
      30_000,
    );
    await builder.asRoot("date --set='2027-02-26 12:00:00 UTC'");
    expect((await over).exitCode).toBe(0);
    const own = (await recordsOf(builder, "alpha", "session.start")).filter(({ time }) => time.startsWith("2027"));
    expect(own.map(({ time }) => time.slice(0, 10))).toEqual(["2027-03-01"]);
    const days = await text(builder, "ls /var/log/nixgate/alpha | grep 2027");
    expect(days).toBe("2027-03-01.jsonl");
    const times = await text(builder, `grep -o '"time":"[^T]*' /var/log/nixgate/alpha/2027-03-01.jsonl | uniq`);
    // A session keeps to the clock that it began with.
    expect(times.split("\n").map((line) => line.slice(-10))).toEqual(["2027-03-01", "2027-03-02"]);
    expect((await seal(builder)).exitCode).toBe(0);
  } finally {
    await builder.asRoot(`date --set=@${now + Math.round((performance.now() - began) / 1000)}`);
  }
  expect((await verify(builder)).findings).toEqual([]);
  const shown = await builder.asRoot("nixgate sessions list --since 2027-02-26 --until 2027-03-03 --json");
  expect(JSON.parse(`${shown.stdout}`)).toMatchObject([{ commands: 3, state: "ended" }]);
});
