import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nixgate } from "../support/nixgate.ts";
import { answerOf, session, startSession } from "../support/run-session.ts";
import { waitFor } from "../support/wait-for.ts";
import { type Workplace, workplace } from "../support/workplace.ts";

/** Counts system calls; `npm test` installs it. */
const noStrace = spawnSync("strace", ["true"]).status !== 0;

const KEY = `SHA256:${"A".repeat(43)}`;
const OTHER = `SHA256:${"B".repeat(43)}`;
const LOCKED = /^nixgate: locked: ask the administrator \(session [0-9a-f-]{36}\)\n$/;

const run = async (place: Workplace, ...words: string[]) => {
  const { status, stdout, stderr } = await nixgate([...words, "--config-dir", place.config]);
  return { status, text: stdout.toString(), said: stderr.toString() };
};
const file = (place: Workplace) => join(place.config, "locks/locks.json");
/** A line loop that is not refused ends with 0. */
const ask = (place: Workplace, words: readonly string[] = [], environment = {}) =>
  session(place, { input: "echo started\n", words, environment });
/** A team with the member ci, who has a key that nobody knows. */
function place(): Workplace {
  const made = workplace();
  made.allow("wait", ["/usr/bin/head", "-c", "10"]);
  return made;
}
const MEMBER = ["--member", "ci"];

test.each([
  ["team", "alpha", [], {}],
  ["member", "alpha/ci", [...MEMBER, "--key", OTHER], {}],
  ["key", KEY, [...MEMBER, "--key", KEY], {}],
  ["address", "192.0.2.7", [], {}],
  ["address", "192.0.2.0/24", [], {}],
  ["address", "2001:db8::/32", [], { SSH_CONNECTION: "2001:db8::7 50022 2001:db8::1 22" }],
  ["address", "192.0.2.7", [], { SSH_CONNECTION: "::ffff:192.0.2.7 50022 ::ffff:192.0.2.1 22" }],
  ["ca-serial", "17", [...MEMBER, "--certificate", `${KEY}:17`], {}],
  ["ca-serial", `${KEY}:17`, [...MEMBER, "--certificate", `${KEY}:17`], {}],
] as const)(
  "%s %s refuses whom it is on and nobody else, until it is lifted",
  async (kind, value, words, environment) => {
    const here = place();
    expect((await ask(here, words, environment)).status).toBe(0);
    expect(await run(here, "lock", kind, value, "--reason", "laptop stolen")).toMatchObject({ status: 0 });
    const refused = await ask(here, words, environment);
    expect([refused.status, refused.stdout.toString()]).toEqual([77, ""]);
    expect(refused.stderr).toMatch(LOCKED);
    expect(here.records().filter(({ event }) => event === "session.refuse")).toMatchObject([
      { reason: "locked", message: "locked: ask the administrator", lock: { kind, value, reason: "laptop stolen" } },
    ]);
    if (kind !== "team") {
      const others = [
        ...MEMBER,
        "--key",
        OTHER,
        "--certificate",
        `${OTHER}:${kind === "ca-serial" && value !== "17" ? 17 : 18}`,
      ];
      const elsewhere = { SSH_CONNECTION: "198.51.100.7 50022 192.0.2.1 22" };
      expect((await ask(here, kind === "member" ? [] : others, elsewhere)).status).toBe(0);
    }
    expect((await run(here, "unlock", kind, value)).text).toBe(`${kind} ${value} is locked no more\n`);
    expect((await ask(here, words, environment)).status).toBe(0);
    expect(existsSync(file(here))).toBe(false);
    const by = { uid: process.getuid?.(), kind, value };
    expect(here.records("_host")).toMatchObject([
      { event: "lock.set", reason: "laptop stolen", ...by },
      { event: "lock.lift", ...by },
    ]);
    expect((await nixgate(["sessions", "verify", "--no-journal", "--log-dir", here.log])).status).toBe(0);
  },
);

test("what runs is ended in good order, in a command and between two lines; another member goes on", async () => {
  const here = place();
  here.edit("policies/alpha.toml", /$/, `\n[[member]]\nname = "eve"\nkeys = []\n`);
  const running = startSession(here, { request: "wait", words: ["--member", "eve", "--key", KEY] });
  const looping = startSession(here, { words: ["--member", "eve"] });
  const other = startSession(here, { request: "wait", words: MEMBER });
  await waitFor("all of them", () => {
    const events = here.records().map(({ event }) => event);
    return events.filter((event) => event === "session.start").length === 3 && events.includes("command.start");
  });
  await waitFor("both commands", () => here.records().filter(({ event }) => event === "command.start").length === 2);
  const answers = Promise.all([answerOf(running), answerOf(looping)]);
  const { status, text } = await run(
    here,
    "lock",
    "member",
    "alpha/eve",
    "--reason",
    "key in a public log",
    "--for",
    "2h",
  );
  expect([status, text]).toEqual([
    0,
    expect.stringMatching(/^member alpha\/eve is locked until .*Z\n2 sessions ended\n$/),
  ]);
  for (const { status: ended, stderr } of await answers) {
    expect(ended).toBe(143);
    expect(stderr).toMatch(LOCKED);
  }
  const lock = { kind: "member", value: "alpha/eve", reason: "key in a public log" };
  const ends = here.records().filter(({ event }) => event === "session.end");
  expect(ends).toMatchObject([
    { cause: "killed-by-admin", lock },
    { cause: "killed-by-admin", lock },
  ]);
  other.stdin?.write("still here");
  expect(await answerOf(other)).toMatchObject({ status: 0 });
});

test("a session that is between its admission and its command finds the lock by itself", async () => {
  const here = place();
  const loop = startSession(here, {});
  const answered = new Promise((resolve) => loop.stdout?.once("data", resolve));
  loop.stdin?.write("echo started\n");
  await answered;
  mkdirSync(join(here.config, "locks"));
  const lock = { kind: "team", value: "alpha", since: "2026-01-01T00:00:00Z", by: "root" };
  writeFileSync(file(here), JSON.stringify({ locks: [lock] })); // nobody ends it
  loop.stdin?.end("wait\n");
  const { status, stderr } = await answerOf(loop);
  expect([status, stderr]).toEqual([77, expect.stringMatching(LOCKED)]);
  expect(here.records().map(({ event }) => event)).toEqual(["session.start", "session.refuse", "session.end"]);
});

test.skipIf(noStrace)(
  "costs a session without a lock two system calls, one when it comes and one before its command",
  async () => {
    const here = place();
    const trace = join(here.folder, "trace");
    const through = ["strace", "-f", "-qq", "-e", "trace=%file", "-o", trace];
    await session(here, { request: "wait", input: "0123456789", through });
    const calls = readFileSync(trace, "utf8")
      .split("\n")
      .filter((line) => line.includes(here.config));
    const looks = calls.filter((line) => line.includes("/locks"));
    expect(looks).toHaveLength(2);
    for (const look of looks) expect(look).toMatch(/stat\w*\(.*locks\/locks\.json.* ENOENT/);
  },
);

test("--for runs out by the wall clock, locks lists what is in force, and a second lock takes the first one's place", async () => {
  const here = place();
  await run(here, "lock", "team", "alpha", "--for", "1s");
  await waitFor("its end", async () => (await ask(here)).status === 0, 20_000);
  expect((await run(here, "locks")).text).toBe("nothing is locked\n");
  await run(here, "lock", "address", "2001:DB8::7", "--reason", "a scan");
  await run(here, "lock", "address", "2001:db8::7", "--reason", "two scans", "--for", "1h");
  const { locks } = JSON.parse((await run(here, "locks", "--json")).text);
  expect(locks).toMatchObject([{ kind: "address", value: "2001:db8::7", reason: "two scans" }]);
  expect((await run(here, "locks")).text).toMatch(
    /^KIND +VALUE +SINCE +UNTIL +BY +REASON\naddress +2001:db8::7 .* two scans\n$/,
  );
  expect(statSync(file(here)).mode & 0o777).toBe(0o644);
  expect((await run(here, "unlock", "team", "alpha")).text).toBe("team alpha was not locked\n");
});

test("twenty locks at one time are all kept", async () => {
  const here = place();
  const set = Array.from({ length: 20 }, (_, number) => run(here, "lock", "ca-serial", String(number)));
  for (const { status, said } of await Promise.all(set)) expect([status, said]).toEqual([0, ""]);
  expect(JSON.parse((await run(here, "locks", "--json")).text).locks).toHaveLength(20);
});

test("an account that holds every file of the locks that it can open keeps no lock out", async () => {
  const here = place();
  await run(here, "lock", "ca-serial", "17");
  const folder = join(here.config, "locks");
  // flock(2) needs no right to write; all accounts may read the folder and the file of locks
  const open = [folder, ...readdirSync(folder).map((name) => join(folder, name))].filter(
    (path) => (statSync(path).mode & 0o044) !== 0,
  );
  expect(open).toEqual([folder, file(here)]);
  const words = open.flatMap((path) => ["flock", "--no-fork", "--exclusive", "--nonblock", path]);
  const holder = spawn(words[0] ?? "", [...words.slice(1), "sh", "-c", "echo held; exec sleep 1000"]);
  try {
    await once(holder.stdout, "data");
    expect(await run(here, "lock", "team", "alpha")).toMatchObject({ status: 0, said: "" });
    expect((await ask(here)).status).toBe(77);
    expect(await run(here, "unlock", "team", "alpha")).toMatchObject({ status: 0, said: "" });
  } finally {
    holder.kill();
  }
});

test("a file of locks that cannot be trusted or read locks everybody, and check and locks say so", async () => {
  const here = place();
  await run(here, "lock", "ca-serial", "17");
  const whole = readFileSync(file(here), "utf8");
  for (const spoil of [
    () => writeFileSync(file(here), whole.slice(0, -3)),
    () => writeFileSync(file(here), whole.replace("ca-serial", "serial")),
    () => chmodSync(file(here), 0o666),
    () => {
      rmSync(file(here));
      mkdirSync(file(here));
    },
  ]) {
    spoil();
    expect((await ask(here)).stderr).toMatch(LOCKED);
    expect(await run(here, "locks")).toMatchObject({
      status: 78,
      said: expect.stringContaining("everybody is locked"),
    });
    expect((await run(here, "check", here.config)).text).toContain("locks/locks.json: ");
    expect((await run(here, "check", here.config)).status).toBe(78);
  }
  expect(here.records().at(-2)).toMatchObject({ lock: { reason: expect.stringContaining("locks.json") } });
  rmSync(file(here), { recursive: true });
  expect((await ask(here)).status).toBe(0);
});

test("a log that cannot be written keeps it locked: locking comes first, lifting last", async () => {
  const here = place();
  const alone = join(here.log, "_host");
  writeFileSync(alone, "in the way");
  expect((await run(here, "lock", "team", "alpha")).status).toBe(73);
  expect((await ask(here)).status).toBe(77);
  expect((await run(here, "unlock", "team", "alpha")).status).toBe(73);
  expect((await ask(here)).status).toBe(77);
});

test.each([
  [[], "the kinds are team, member, key, address, ca-serial"],
  [["user", "eve"], "the kinds are"],
  [["team"], "such as alpha"],
  [["team", "alpha", "beta"], "such as alpha"],
  [["team", "../alpha"], "../alpha: no team"],
  [["team", "omega"], "no policy is that of team omega"],
  [["member", "alpha"], "alpha: no member"],
  [["member", "alpha/nobody"], "the policy of team alpha has no member nobody"],
  [["key", "MD5:aa"], "MD5:aa: no key"],
  [["address", "example.com"], "example.com: no address"],
  [["address", "10.0.0.1/8"], "10.0.0.1/8: no address"],
  [["ca-serial", "1.5"], "no ca-serial"],
  [["ca-serial", "18446744073709551616"], "no ca-serial"],
  [["team", "alpha", "--for", "soon"], "--for: "],
  [["team", "alpha", "--reason", "a\nb"], "control character"],
  [["team", "alpha", "--reason", "x".repeat(501)], "longer than 500"],
])("lock %j is turned down in one line", async (words, said) => {
  const here = place();
  expect(await run(here, "lock", ...words)).toMatchObject({ status: 64, said: expect.stringContaining(said) });
  expect(existsSync(join(here.config, "locks"))).toBe(false);
});

test("a lock on a key that no policy lists is set and said, and check warns of locks on nothing known", async () => {
  const here = place();
  expect(await run(here, "lock", "key", KEY)).toMatchObject({
    status: 0,
    said: `nixgate: no policy lists the key ${KEY}\n`,
  });
  await run(here, "lock", "member", "alpha/ci");
  here.edit("policies/alpha.toml", 'name = "ci"', 'name = "di"');
  const { status, text } = await run(here, "check", here.config);
  expect(status).toBe(0);
  expect(text).toContain(`locks/locks.json: warning: no policy lists the key ${KEY}\n`);
  expect(text).toContain("locks/locks.json: warning: the policy of team alpha has no member ci\n");
});
