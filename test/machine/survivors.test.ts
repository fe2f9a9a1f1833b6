import { expect } from "vitest";
import { settings } from "../../tools/machine/settings.ts";
import { waitFor } from "../support/wait-for.ts";
import { setRunTime, storyOf } from "./hostile.ts";
import { supervised } from "./managers.ts";
import { allow, edit, editHost, restorePolicies } from "./policies.ts";
import { test, text } from "./supervision.ts";
import { awaitProcess, startClient } from "./waiting-client.ts";

const LOG = "/var/log/nixgate";
/** Writes to the root file system once that is frozen: no signal reaches it until it is thawed (fsfreeze(8)). */
const STUCK = "until [ -e /run/frozen ]; do sleep 0.05551; done; echo >/var/tmp/stuck";
/** Whatever becomes of a test, the guest's disk is usable again. */
const FREEZE = "(sleep 120; fsfreeze -u /) </dev/null >/dev/null 2>&1 & fsfreeze -f / && touch /run/frozen";

const CONFINED = settings(process.env).manager === "system" ? [false, true] : [false];

test.for(CONFINED)(
  "what nothing can end is named to the client, in the record and to the administrator, and keeps no slot (confined: %s)",
  { timeout: 240_000 },
  async (isConfined, { builder }) => {
    await restorePolicies(builder);
    if (isConfined) await editHost(builder, 's/^manager = "system".*/&\\nconfine = true/');
    await allow(builder, "alpha", { stuck: ["/bin/sh", "-c", STUCK], quick: ["/bin/true"] });
    await setRunTime(builder, "6s");
    await edit(builder, "alpha", "s/^max_concurrent = .*/max_concurrent = 1/");
    // Records are on a disk of their own, which stays writable.
    await builder.asRoot(
      `cp -a ${LOG} /run/records; mount -t tmpfs -o size=512M,mode=755 none ${LOG}; cp -a /run/records/. ${LOG}/; rm -r /run/records
       systemctl try-restart nixgate.service`,
    );
    using client = startClient(builder, "stuck");
    let said = "";
    client.stderr?.setEncoding("utf8").on("data", (words: string) => {
      said += words;
    });
    const ended = new Promise<number | null>((resolve) => client.once("close", resolve));
    try {
      await awaitProcess(builder, "^sleep 0.05551");
      expect((await builder.asRoot(FREEZE)).exitCode).toBe(0);
      await waitFor("the end on record", async () => (await storyOf(builder)).over, 60_000);
      await waitFor("both lines", () => said.split("\n").length > 2, 60_000).catch(() => undefined);
      expect(said).toMatch(
        /^nixgate: run time limit of 6s reached \(session (\S+)\)\nnixgate: 1 process of the command could not be ended \(session \1\)\n$/,
      );
      const pid = Number(await text(builder, "pgrep -u nix-alpha -x -r D sh"));
      const { ended: end, over } = await storyOf(builder);
      expect(end).toMatchObject({ cause: "timeout", status: 137, leftovers: 0 });
      expect(end?.survivors).toEqual([{ pid, uid: 1001, name: "sh" }]);
      expect(over).toMatchObject({ cause: "timeout", exit: 137 });
      expect(await text(builder, "journalctl -b --no-pager -o cat")).toContain(
        `still alive 10 s after SIGKILL: pid ${pid} of uid 1001 (sh)`,
      );
      // systemd cannot make the temporary folders of a confined command on a frozen disk
      const next = isConfined ? undefined : await builder.ssh("nix-alpha", "quick");
      expect(next?.exitCode ?? 0, `${next?.stderr}`).toBe(0);
      expect(await text(builder, `cat /proc/${pid}/comm`)).toBe("sh");
    } finally {
      await builder.asRoot("fsfreeze -u /; rm -f /run/frozen");
    }
    // sshd waits for the last process that has the client's pipes open. It has no status of a shim that was killed.
    expect(await ended).toBe(supervised(builder) && !isConfined ? 255 : 137);
    await builder.asRoot(`rm -f /var/tmp/stuck; umount -l ${LOG}; systemctl try-restart nixgate.service`);
  },
);
