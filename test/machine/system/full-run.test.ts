import { describe, expect } from "vitest";
import { recordsOf } from "../records.ts";
import { restarted, test, text } from "../supervision.ts";
import type { Guest } from "../support.ts";
import { awaitProcess, startClient } from "../waiting-client.ts";

const ANSWERS = "/run/nixgate/alpha/answers";
/** Takes whatever becomes free, again and again; tmpfs(5) counts pages and inodes apart. */
const FILLERS = {
  bytes: "head -c 1G /dev/zero >>/run/full/bytes",
  inodes: "while (: >/run/full/$i); do i=$((i + 1)); done",
} as const;
const fill = (filler: string) =>
  `mkdir /run/full; mount -o remount,nr_inodes=$(($(df --output=iused /run | tail -1) + 100)) /run
   setsid sh -c 'i=0; while [ -d /run/full ]; do ${filler}; sleep 0.05; done' >/dev/null 2>&1 & sleep 1`;
const EMPTY = "mount -o remount,nr_inodes=800k /run; rm -r /run/full; sleep 0.2; rm -rf /run/full";

/** What a client got, and how long it took, in milliseconds. */
async function ask(builder: Guest, request: string | undefined, input = "") {
  const began = performance.now();
  const { exitCode, stderr } = await builder.ssh("nix-alpha", request, { input });
  return { exitCode, said: `${stderr}`, ms: performance.now() - began };
}

describe.each(Object.entries(FILLERS))("a /run that is full of %s", (_, filler) => {
  test("clients get an answer in time, and the record has the same", async ({ builder }) => {
    // no room is left from earlier sessions
    await builder.asRoot(`systemctl stop nixgate.service; rm -f ${ANSWERS}/*; systemctl start nixgate.service`);
    await restarted(builder);
    using running = startClient(builder, "brief");
    const ended = new Promise<number | null>((resolve) => running.once("close", resolve));
    await awaitProcess(builder, "sleep 4");
    const before = (await recordsOf(builder, "alpha", "session.end")).length;
    await builder.asRoot(fill(filler));
    try {
      const asked = [await ask(builder, "quick")];
      expect(await ended).toBe(6);
      // from here on there is the room of the one that has ended
      for (const [request, input] of [
        ["nope"],
        ["quick"],
        ["nix-store --serve"],
        [undefined, "nope\nquick\n"],
      ] as const)
        asked.push(await ask(builder, request, input));
      const ends = (await recordsOf(builder, "alpha", "session.end")).slice(before).map(({ exit }) => exit);
      expect(ends.toSorted()).toEqual([6, ...asked.map(({ exitCode }) => exitCode)].toSorted());
      for (const { ms, said, exitCode } of asked) {
        expect(ms).toBeLessThan(30_000);
        if (exitCode !== 0) expect(said).toMatch(/^nixgate: /);
      }
      expect(asked[1]?.exitCode).toBe(77);
    } finally {
      await builder.asRoot(EMPTY);
    }
    expect(await text(builder, `ls ${ANSWERS} | grep -v spare`)).toBe("");
    expect((await ask(builder, "quick")).exitCode).toBe(0);
  });
});
