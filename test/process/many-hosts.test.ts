import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { exported, importJournal, noJournalRemote, systemdProgram } from "../support/journal-export.ts";
import { noJournald, withJournald } from "../support/journald.ts";
import { nixgate } from "../support/nixgate.ts";
import { bodies, sessionLines } from "../support/records.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { waitFor } from "../support/wait-for.ts";
import { NIXGATE, workplaceIn } from "../support/workplace.ts";

const cannot = noJournald ?? noJournalRemote;
const folder = temporaryFolder("hosts");
const collected = join(folder, "remote");
const place = workplaceIn(folder);
const there = sessionLines("2026-01-05T03:12:00Z", undefined, { host: "builder-2" });
/** As they arrive: two have changed places, the end came before all others. */
const arriving = [4, 0, 2, 1, 3].map((at) => there.lines[at] as string);
const strange = sessionLines("2026-01-05T04:00:00Z", [bodies.start, bodies.end], { host: "builder-2" });

let receiver: ReturnType<typeof spawn> | undefined;
afterAll(() => void receiver?.kill());

/** One host's real sessions and another's records reach one collector through the real programs, over loopback. */
beforeAll(async () => {
  if (cannot) return;
  const journals = ["real", "other"].map((name) => join(folder, name));
  for (const path of [...journals, collected]) mkdirSync(path);
  place.edit("nixgate.toml", "journald = false", "journald = true");
  place.allow("echo", ["/bin/echo", "ran"]);
  const [real = "", other = ""] = journals;
  expect(withJournald(place, real, "serve echo; serve forbidden").stdout).toBe("ran\n");
  importJournal(join(other, "system.journal"), exported(arriving, 990) + exported(strange.lines, 1234));
  const port = await freePort();
  const listen = [`--listen-http=127.0.0.1:${port}`, `--output=${collected}`, "--split-mode=host"];
  receiver = spawn(systemdProgram("systemd-journal-remote") as string, listen, { stdio: "ignore" });
  for (const journal of journals) {
    const words = [
      `--url=http://127.0.0.1:${port}`,
      `--directory=${journal}`,
      "--follow=no",
      `--save-state=${journal}.state`,
    ];
    await waitFor("an upload", () => spawnSync(systemdProgram("systemd-journal-upload") as string, words).status === 0);
  }
  await waitFor("the collector's file", () => readdirSync(collected).length > 0);
}, 60_000);

const ask = async (command: string, ...words: string[]) => {
  const { status, stdout, stderr } = await nixgate(["sessions", command, "--journal", collected, "--json", ...words]);
  return { status, stderr, answer: stdout.length > 0 ? JSON.parse(stdout.toString()) : undefined };
};

describe.skipIf(cannot)(`what arrived from two hosts (${cannot ?? "by the real systemd-journal-upload"})`, () => {
  test("--merge reads them beside this host's own journal", () => {
    const own = join(folder, "own");
    mkdirSync(own);
    const script = `serve echo >/dev/null; journalctl --sync
mkdir /var/log/journal/remote; cp ${collected}/*.journal /var/log/journal/remote
${NIXGATE} sessions list --merge --json; ${NIXGATE} sessions verify --merge --log-dir LOG --json; echo "$?"`;
    const { stdout, stderr } = withJournald(place, own, script);
    const [list = "", verified = ""] = stdout.split(/^(?=\{)/m);
    const hosts = JSON.parse(list).map(({ host }: { host: string }) => host);
    expect(hosts, stderr).toEqual([...Array(3).fill(hostname()), "builder-2"]); // two of them by both ways
    expect(verified).toMatch(/^0$/m);
    expect(JSON.parse(verified.replace(/^0$/m, ""))).toMatchObject({
      findings: [],
      layers: { journal: { checked: true } },
    });
  });

  test("list shows the sessions of both, and --host those of one", async () => {
    const { answer } = await ask("list");
    expect(answer.map(({ host }: { host: string }) => host)).toEqual([hostname(), hostname(), "builder-2"]);
    expect((await ask("list", "--host", "builder-2")).answer).toHaveLength(1);
    expect((await ask("list", "--host", "builder-3")).answer).toEqual([]);
  });

  test("show tells a session of the other host as its file would", async () => {
    const [{ session }] = (await ask("list", "--host", "builder-2")).answer;
    const { answer, status } = await ask("show", session);
    expect(status).toBe(0);
    expect(answer.records).toEqual(there.lines.map((line) => JSON.parse(line)));
  });

  test("verify finds the copies sound, in whatever order they came, and says what it could not use", async () => {
    const { answer, status } = await ask("verify");
    expect(answer.findings).toEqual([]);
    expect(status).toBe(0);
    expect(answer.layers).toMatchObject({
      chain: { checked: true },
      journal: { checked: false },
      seal: { checked: false },
    });
  });

  test("the files of one host are held against what arrived, and the other host's records are not missed", async () => {
    const { answer } = await ask("verify", "--log-dir", place.log);
    expect(answer.layers.journal).toMatchObject({ checked: true });
    expect(answer.findings).toEqual([]);
  });

  test("copies from another account than the session's are left out, with a message", async () => {
    const { answer, stderr } = await ask("list", "--host", "builder-2");
    expect(answer.map(({ session }: { session: string }) => session)).not.toContain(strange.session);
    expect(stderr).toMatch(/2 copies left out: sent by an account that is neither root nor the session's own/);
  });

  test("render prometheus tells hosts apart", async () => {
    const { stdout } = await nixgate(["render", "prometheus", "--journal", collected]);
    expect(stdout.toString()).toContain(`nixgate_sessions_total{team="alpha",host="${hostname()}"} 2\n`);
  });

  test("nothing of it stays behind", async () => {
    const spools = () => readdirSync("/var/tmp").filter((name) => name.startsWith("nixgate-journal-"));
    const before = spools();
    await ask("list");
    // Those of other tests come and go meanwhile.
    await waitFor("no new folder", () => spools().every((name) => before.includes(name)));
  });
});

test("a journal that does not exist is an error that names the reason", async () => {
  const { status, stderr } = await nixgate(["sessions", "list", "--journal", join(folder, "nowhere")]);
  expect(status).toBe(74);
  expect(stderr).toContain("the journal cannot be read");
});

test.each([
  [["--journal", "x", "--merge"], "name two journals"],
  [["--journal", "x", "--log-dir", "y"], "leave one of the options out"],
])("%j is a usage error", async (words, said) => {
  const { status, stderr } = await nixgate(["sessions", "list", ...words]);
  expect({ status, stderr }).toEqual({ status: 64, stderr: expect.stringContaining(said) });
});

test.skipIf(noJournalRemote)(
  "what an account sends without a session.start is left out, and held up to a bound",
  async () => {
    const path = join(folder, "flood");
    mkdirSync(path);
    const tails = Array.from({ length: 6000 }, () => sessionLines("2026-01-05T05:00:00Z", [bodies.start, bodies.end]));
    const flood = tails.map(({ lines }) => lines[1] as string);
    importJournal(join(path, "system.journal"), exported(flood, 5555) + exported(there.lines, 990));
    const { status, stdout, stderr } = await nixgate(["sessions", "list", "--journal", path, "--json"]);
    expect(JSON.parse(stdout.toString()).map(({ session }: { session: string }) => session)).toEqual([there.session]);
    const [, held, beyond] =
      /: (\d+) copies left out: sent by.*\n.*: (\d+) copies by uid 5555 left out/.exec(stderr) ?? [];
    expect(Number(held) + Number(beyond), stderr).toBe(6000);
    expect(status).toBe(0);
  },
);
