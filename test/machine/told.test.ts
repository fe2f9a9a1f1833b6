import { describe, expect } from "vitest";
import type { Suite } from "../../tools/machine/debian.ts";
import { settings } from "../../tools/machine/settings.ts";
import { waitFor } from "../support/wait-for.ts";
import { type Client, clientNix } from "./client.ts";
import { edit } from "./policies.ts";
import { recordsOf } from "./records.ts";
import { type Guest, test as plain } from "./support.ts";

/** A client whose Nix is another Debian's, from 2.8 (bookworm) on. */
const OTHER: Record<Suite, Suite> = { bookworm: "trixie", forky: "bookworm", trixie: "bookworm" };
const { suite } = settings(process.env);

const test = plain.extend<{ client: Client }>({
  client: [async ({ guest }, use) => use(await clientNix(guest.state, OTHER[suite])), { scope: "file" }],
});

const NIX_CONFIG = "experimental-features = nix-command\nrequire-sigs = false\nsandbox = false";

/** A derivation whose builder never ends, and has nothing to wait with in its sandbox; its name is its own, so that nothing of it is there yet. */
const slow = (name: string) =>
  `derivation { name = "${name}"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "while :; do :; done" ]; }`;

/** Lines of stderr that are nixgate's, without the session's id; the build hook puts words of its own around them. */
const linesOf = (stderr: string) =>
  [...stderr.matchAll(/nixgate: (.*?) \(session [0-9a-f-]{36}\)/g)].map(([, line]) => line);

/** How a real client comes to use a builder. */
const WAYS = {
  "nix build over ssh-ng": (store: string) => ["nix", "build", "--store", store, "--eval-store", "auto", "--no-link"],
  "the build hook over ssh-ng": (store: string) => ["nix-build", "-j0", "--builders", `${store} x86_64-linux - 1`],
  "the build hook over ssh": (store: string) => ["nix-build", "-j0", "--builders", `${store} x86_64-linux - 1`],
};

/** Makes a path of a size that no copy into the guest ends with in time, then copies it. */
const COPY =
  'head -c 1G /dev/zero >/tmp/large; exec nix copy --no-check-sigs --to "$1" "$(nix-store --add-fixed sha256 /tmp/large)"';

async function lastEnds(guest: Guest, before: number) {
  const ends = await waitFor("the session's end", async () => {
    const found = (await recordsOf(guest, "alpha", "session.end")).slice(before);
    return found.length > 0 ? found : undefined;
  });
  return { command: (await recordsOf(guest, "alpha", "command.end")).at(-1), session: ends.at(-1) };
}

describe.for(Object.entries(WAYS))("a client that builds by %s", ([way, words]) => {
  test("reads why its build was ended", { timeout: 180_000 }, async ({ client, guest }) => {
    await edit(guest, "alpha", `s/^RuntimeMaxSec = .*/RuntimeMaxSec = "8s"/`);
    const before = (await recordsOf(guest, "alpha", "session.end")).length;
    const store = client.store(way.endsWith("-ng") ? "ssh-ng" : "ssh", "nix-alpha");
    const name = `slow-${way.replaceAll(" ", "-")}`;
    const file = way.startsWith("nix build") ? ["-f", `/tmp/${name}.nix`] : [`/tmp/${name}.nix`, "--no-out-link"];
    const command = ["sh", "-ec", 'printf %s "$1" >"$2"; shift 2; exec "$@"', "sh", slow(name), `/tmp/${name}.nix`];
    const { stderr, exitCode } = await client.run([...command, ...words(store), ...file], { env: { NIX_CONFIG } });
    expect(linesOf(`${stderr}`), `${stderr}`).toEqual(["run time limit of 8s reached"]);
    expect(exitCode).not.toBe(0);
    const { command: ended, session } = await lastEnds(guest, before);
    expect(ended).toMatchObject({ cause: "timeout", status: expect.any(Number) });
    expect([137, 143]).toContain(session?.exit);
  });
});

test.for(["ssh", "ssh-ng"] as const)(
  "a client that copies over %s reads why its copy was ended",
  { timeout: 180_000 },
  async (scheme, { client, guest }) => {
    await edit(guest, "alpha", `s/^RuntimeMaxSec = .*/RuntimeMaxSec = "2s"/`);
    const before = (await recordsOf(guest, "alpha", "session.end")).length;
    const command = ["sh", "-ec", COPY, "sh", client.store(scheme, "nix-alpha")];
    const { stderr, exitCode } = await client.run(command, { env: { NIX_CONFIG } });
    expect(linesOf(`${stderr}`), `${stderr}`).toEqual(["run time limit of 2s reached"]);
    expect(exitCode).not.toBe(0);
    const { command: ended, session } = await lastEnds(guest, before);
    expect(ended).toMatchObject({ cause: "timeout", status: expect.any(Number) });
    expect([137, 143]).toContain(session?.exit);
  },
);
