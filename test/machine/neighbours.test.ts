import { describe, expect } from "vitest";
import { serveHello } from "../support/nix-protocol.ts";
import { awaitNothing, endNixgate, program, setRunTime, test } from "./hostile.ts";
import { allow, edit } from "./policies.ts";
import type { Guest } from "./support.ts";
import { startClient } from "./waiting-client.ts";

const MOST = 2;
/** How often both are measured; and how often more, where the host's load may have been what was seen. */
const TURNS = 3;
const MORE_TURNS = 6;
/** Of the guest's one CPU. What the host takes away meanwhile is part of it: the guest's clock does not know. */
const QUOTA = "20%";
const again = (name: string, ...words: string[]) => program("again.sh", `/opt/hostile/${name}`, ...words);

/** What runs meanwhile. Those that would end by themselves do it again and again, the memory hogs just below their limit. */
const HOSTILE = {
  "fork bomb": program("fork-bomb.pl", "on"),
  "thread bombs": again("thread-bomb.pl"),
  "malloc hogs": again("malloc-hog.pl", "40"),
  "mmap hogs": again("mmap-hog.pl", "40", "1"),
  "tmpfs hogs": again("tmpfs-hog.sh", "40"),
  "cpu hog": program("cpu-hog.sh"),
  "daemon makers": again("daemon-maker.sh"),
  "orphan makers": again("orphan-maker.sh", "100000"),
  "zombie makers": again("zombie-maker.pl"),
  "sub-cgroup maker": again("sub-cgroup-maker.sh"),
  "sigterm ignorer": program("ignore-sigterm.sh"),
  "self stopper": program("self-stopper.sh"),
  "read flood on stderr": program("flood-stderr.sh"),
  "read flood on stdout": program("flood-stdout.sh"),
  "unread flood on stderr": program("flood-stderr.sh"),
  "unread flood on stdout": program("flood-stdout.sh"),
};

/**
 * A second team's sessions, from the client's start to the end of Nix's handshake, in turns beside what alpha runs and
 * beside its frozen slice. Turns and medians take what the host does besides out of the comparison, and a client in the
 * guest takes the way there. Prints milliseconds: beside, alone.
 */
const MEASURE = `
set -e
hello=$(mktemp); cat >$hello
slice=$(find /sys/fs/cgroup -type d -name nixgate-alpha.slice)
once() {
  from=$(date +%s%N)
  [ "$(ssh -q nix-gamma@localhost nix-store --serve <$hello | head -c 4 | od -An -tx1 | tr -d ' ')" = cbee5254 ]
  echo $((($(date +%s%N) - from) / 1000000)) >>$1
}
for turn in $(seq $1); do
  echo 0 >$slice/cgroup.freeze; sleep 0.3; once /tmp/beside
  echo 1 >$slice/cgroup.freeze; sleep 0.1; once /tmp/alone
done
echo 0 >$slice/cgroup.freeze
for what in beside alone; do sort -n /tmp/$what | sed -n $((($(wc -l </tmp/$what) + 1) / 2))p; done
`;

/** Medians of this many turns, and of those before. */
async function measure(guest: Guest, turns: number): Promise<{ beside: number; alone: number }> {
  const { stdout, stderr, exitCode } = await guest.asRoot(`sh /run/measure ${turns}`, { input: serveHello });
  expect(exitCode, `${stderr}`).toBe(0);
  const [beside = 0, alone = 0] = `${stdout}`.trim().split("\n").map(Number);
  return { beside, alone };
}

/** Root's bound around the account, as `nixgate render slices` writes it: it has sshd's work for the account in it too. */
const bound = (guest: Guest, quota: string) =>
  guest.asRoot(`systemctl set-property --runtime user-$(id -u nix-alpha).slice CPUQuota=${quota}`);

describe("another team's session takes no more than twice its time", () => {
  test.for(Object.keys(HOSTILE) as (keyof typeof HOSTILE)[])("beside the %s", async (name, { builder }) => {
    await setRunTime(builder, "120s");
    await edit(builder, "alpha", `s/^CPUQuota = "50%"/CPUQuota = "${QUOTA}"/`);
    const request = `beside-${name.replaceAll(" ", "-")}`;
    await allow(builder, "alpha", { [request]: HOSTILE[name] });
    using client = startClient(builder, request);
    if (name.startsWith("read")) {
      for (const stream of [client.stdout, client.stderr]) stream?.resume();
      await bound(builder, QUOTA);
    }
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await builder.asRoot("rm -f /tmp/beside /tmp/alone; cat >/run/measure", { input: MEASURE });
    let { beside, alone } = await measure(builder, TURNS);
    if (beside > alone * MOST) ({ beside, alone } = await measure(builder, MORE_TURNS));
    expect(client.exitCode, "the hostile program runs to the end").toBeNull();
    expect(beside / alone, `${beside} ms beside, ${alone} ms alone`).toBeLessThanOrEqual(MOST);
    await bound(builder, "");
    await endNixgate(builder);
    await awaitNothing(builder, 5000);
  });
});
