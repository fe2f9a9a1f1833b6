import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { restartGuest, startGuest, stopGuest } from "../../tools/machine/guest.ts";
import { settings } from "../../tools/machine/settings.ts";
import { isServeAnswer, serveHello } from "../support/nix-protocol.ts";
import { waitFor } from "../support/wait-for.ts";
import { Story } from "./hostile.ts";
import { supervised } from "./managers.ts";
import { allow, letEpsIn } from "./policies.ts";
import { records } from "./records.ts";
import { Guest } from "./support.ts";
import { awaitProcess, startClient } from "./waiting-client.ts";

/** Nix's programs answer SIGTERM with 0 or 1, as this one; others die of it. */
const OBEYS = ["/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.07771; done"];

/** A guest of its own, since the run's kernel must not go, nor its journal in memory. */
function booted(): () => Guest {
  let guest: Guest | undefined;
  const options = settings(process.env);
  const name = `${options.name}-shut`.slice(0, 32);
  beforeAll(async () => {
    guest = new Guest(await startGuest({ ...options, name, outlives: false }, () => {}));
    await allow(guest, "alpha", { obey: OBEYS, die: ["/bin/sleep", "77711"] });
    if (!supervised(guest)) return;
    await letEpsIn(guest);
    expect(await guest.asRoot("nixgate apply --yes")).toMatchObject({ exitCode: 0 });
  }, 300_000);
  afterAll(() => stopGuest(name));
  return () => guest as Guest;
}

/** A client that stays. Without a request it is between two lines of the line loop. */
function staying(guest: Guest, request: string | undefined, starts: string) {
  const client = startClient(guest, request);
  let said = "";
  for (const stream of [client.stdout, client.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  if (request === undefined) client.stdin?.write("echo started\n");
  const ended = new Promise<number | null>((resolve) => client.once("close", resolve));
  const runs = async () => {
    if (request !== undefined) return awaitProcess(guest, starts);
    await waitFor("started", () => said !== "", 60_000);
    await waitFor("a reader of lines", () => readsLines(guest), 60_000);
  };
  return { runs, ended: async () => ({ status: await ended, said }), [Symbol.dispose]: client[Symbol.dispose] };
}

/** Whether the process that reads lines has begun to handle SIGTERM (proc_pid_status(5)): nixgate itself, or a helper. */
async function readsLines(guest: Guest): Promise<boolean> {
  const reader = supervised(guest) ? "read-request" : "nixgate-session.cjs|nixgate.cjs";
  const { stdout } = await guest.asRoot(`cat /proc/$(pgrep -n -u nix-alpha -f '${reader}')/status | grep SigCgt`);
  return (Number.parseInt(`${stdout}`.trim().slice(-8), 16) & (1 << 14)) !== 0;
}

/** soft-reboot came with systemd 254. */
const WAYS = ["reboot", "poweroff", ...(settings(process.env).suite === "bookworm" ? [] : ["soft-reboot"])];

describe("a host that goes down and comes again", () => {
  const guest = booted();

  test.for(WAYS)(
    "by %s ends sessions as its administrator does, and serves all teams anew",
    { timeout: 300_000 },
    async (how) => {
      const builder = guest();
      const before = (await records(builder, "alpha")).length;
      using clients = new DisposableStack();
      const all = [
        clients.use(staying(builder, "obey", "^sleep 0.07771")),
        clients.use(staying(builder, "die", "^/bin/sleep 77711")),
        clients.use(staying(builder, undefined, "")),
      ];
      for (const { runs } of all) await runs();
      await restartGuest(builder.state, `systemctl ${how}`);

      const own = (await records(builder, "alpha")).slice(before);
      const stories = [...Map.groupBy(own, ({ session }) => session).values()].map((lines) => new Story(lines));
      expect(stories.map(({ over }) => [over?.cause, over?.exit])).toEqual(Array(3).fill(["killed-by-admin", 143]));
      const commands = stories.flatMap(({ ended }) => ended ?? []);
      expect(commands.map(({ cause, status }) => [cause, status])).toEqual(Array(2).fill(["killed-by-admin", 143]));
      for (const { ended } of all) {
        const { status, said } = await ended();
        expect.soft([143, 255], said).toContain(status); // 255: sshd was ended before it passed on the status
        // Otherwise systemd ends nixgate and its sshd at the same moment, and sshd or ssh(1) says that the connection is gone.
        if (supervised(builder))
          expect.soft(said.match(/^nixgate: ended by the administrator/gm), said).toHaveLength(1);
      }
      const { stdout } = await builder.asRoot("nixgate recover; nixgate sessions verify --no-journal");
      expect(`${stdout}`).toMatch(/^nothing to recover\n\d+ records, .* 0 running: nothing found$/m);

      // Nobody has started anything by hand since. eps came while the host ran, by `nixgate apply --yes`.
      for (const team of ["gamma", "alpha", ...(supervised(builder) ? ["eps"] : [])]) {
        const served = await builder.ssh(`nix-${team}`, "nix-store --serve", { input: serveHello });
        expect([served.exitCode, isServeAnswer(served.stdout)], `${served.stderr}`).toEqual([0, true]);
      }
    },
  );
});
