import { expect } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import { supervised } from "./managers.ts";
import { allow } from "./policies.ts";
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
const set = (builder: Guest, step: string) => builder.asRoot(`date -s '${step}'`);

test("no step of the clock and no name of the host changes what is said of a session, or how it ends", {
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
