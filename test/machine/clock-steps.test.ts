import { expect } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import { supervised } from "./managers.ts";
import { allow, edit } from "./policies.ts";
import { records, recordsOf } from "./records.ts";
import { restarted, test, text } from "./supervision.ts";
import type { Guest } from "./support.ts";
import { awaitProcess, startClient } from "./waiting-client.ts";

/** What every command says of one session that runs. */
async function seen(builder: Guest) {
  const lines = await text(
    builder,
    `nixgate sessions list --running --json; echo; nixgate sessions top --json; echo
     nixgate render prometheus | grep '^nixgate_sessions_running{team="alpha"'; nixgate recover
     nixgate sessions verify --no-journal | grep running; nixgate sessions prune --older-than 1d; echo $?`,
  );
  return {
    ...{ listed: / *"state": "running"/.test(lines), topped: /"age_ms": \d/.test(lines) },
    ...{ counted: lines.includes('{team="alpha"} 1\n'), left: lines.includes("nothing to recover\n") },
    ...{ sound: lines.includes(" 1 running: nothing found\n"), kept: !/^.*alpha.*removed$/m.test(lines) },
  };
}
const WELL = { listed: true, topped: true, counted: true, left: true, sound: true, kept: true };
/** Sets the clock again and again, as long as the file is there. */
const storm = (now: number) =>
  `systemctl stop nixgate-seal.timer; touch /run/storm
   setsid sh -c 'while [ -e /run/storm ]; do
     for step in "-1 hour" "+2 minutes" "+2 hours" "+3 days" "1970-01-01 00:10" 2099-03-01 @${Math.round(now / 1000)}; do
       date -s "$step"; sleep 0.1
     done
   done' </dev/null >/dev/null 2>&1 &`;
const set = (builder: Guest, step: string) => builder.asRoot(`date -s '${step}'`);

test("a clock step or a new host name changes neither a session's records nor its end", {
  timeout: 240_000,
}, async ({ builder }) => {
  await allow(builder, "alpha", { hold: ["/bin/sleep", "7000"] });
  const [before, name] = [Date.now(), await text(builder, "hostname")];
  try {
    await set(builder, "1970-01-01 00:10");
    using client = startClient(builder, "hold");
    const ended = new Promise<number | null>((resolve) => client.once("close", resolve));
    await awaitProcess(builder, "^/bin/sleep 7000");
    const [start] = await recordsOf(builder, "alpha", "session.start");
    // from 1970 to now, and from there
    for (const step of [`@${Math.round(before / 1000)}`, "-1 hour", "+2 minutes", "+2 hours", "+3 days"]) {
      await set(builder, step);
      await builder.asRoot("hostname renamed");
      expect(await seen(builder), step).toEqual(WELL);
    }
    if (supervised(builder)) {
      await builder.asRoot("systemctl restart nixgate.service; date -s '+1 hour'");
      await restarted(builder);
      expect(await seen(builder), "a restart of the supervisor").toEqual(WELL);
    }
    expect(await text(builder, `nixgate sessions kill ${start?.session} --json`)).toContain('"killed-by-admin"');
    expect(await ended).toBe(143);
    const end = (await recordsOf(builder, "alpha", "session.end")).at(-1);
    expect(end?.wall_ms).toBeLessThan(200_000);
    await waitFor("all records", async () => (await records(builder, "alpha")).length === 4);
  } finally {
    await builder.asRoot(`hostname ${name}; date -s @${Math.round(Date.now() / 1000)}`);
  }
});

test("a clock step at each step of a session changes neither its course nor its durations", {
  timeout: 300_000,
}, async ({ builder }) => {
  await allow(builder, "alpha", { still: ["/bin/sleep", "7001"], gone: ["/bin/sleep", "7002"] });
  await edit(builder, "alpha", 's/^RuntimeMaxSec = .*/RuntimeMaxSec = "20s"/');
  const before = (await recordsOf(builder, "alpha", "session.end")).length;
  const idOf = async (request: string) =>
    (await recordsOf(builder, "alpha", "command.start")).findLast((start) => start.request === request)?.session;
  await builder.asRoot(storm(Date.now()));
  try {
    const timedOut = builder.ssh("nix-alpha", "still");
    using leaving = startClient(builder, "gone");
    await awaitProcess(builder, "^/bin/sleep 7001");
    await awaitProcess(builder, "^/bin/sleep 7002");
    const alive = [await idOf("still"), await idOf("gone")];
    const listed = await text(builder, "nixgate sessions list --running --json; nixgate sessions top --json");
    for (const id of alive) expect(listed.split(`"${id}"`)).toHaveLength(3);
    expect(await text(builder, "nixgate render prometheus")).toContain('nixgate_sessions_running{team="alpha"} 2\n');
    expect(await text(builder, "nixgate recover")).toBe("nothing to recover");
    expect((await builder.ssh("nix-alpha", "quick")).exitCode).toBe(0);
    const loop = await builder.ssh("nix-alpha", undefined, { input: "echo started\nquick\necho started\nquick\n" });
    expect([loop.exitCode, `${loop.stdout}`], `${loop.stderr}`).toEqual([0, "started\nstarted\n"]);
    leaving.kill("SIGKILL");
    const { exitCode, stderr } = await timedOut;
    expect([exitCode, `${stderr}`]).toEqual([143, expect.stringContaining("run time limit of 20s reached")]);
    const ended = waitFor(
      "all ends",
      async () => {
        const ends = (await recordsOf(builder, "alpha", "session.end")).slice(before);
        return ends.length === 4 ? ends : undefined;
      },
      60_000,
    );
    const ends = await ended;
    expect(ends.map(({ cause }) => cause).toSorted()).toEqual(["client-gone", "exit", "exit", "timeout"]);
    for (const { wall_ms } of ends) expect(wall_ms).toBeLessThan(120_000);
    expect(ends.find(({ cause }) => cause === "timeout")?.wall_ms).toBeGreaterThanOrEqual(20_000);
    const stats = JSON.parse(await text(builder, "nixgate sessions stats --json"));
    expect(JSON.stringify(stats)).toContain('"timeout"');
  } finally {
    await builder.asRoot(
      `rm -f /run/storm; sleep 2; date -s @${Math.round(Date.now() / 1000)}; systemctl try-restart nixgate-seal.timer`,
    );
  }
});
