import { expect } from "vitest";
import type { Suite } from "../../tools/machine/debian.ts";
import { settings } from "../../tools/machine/settings.ts";
import { type Client, clientNix } from "./client.ts";
import { recordsOf } from "./records.ts";
import { test as plain } from "./support.ts";

/** A client whose Nix is another Debian's: from 2.8 (bookworm) to 2.34 (forky) and back. */
const OTHER: Record<Suite, Suite> = { bookworm: "forky", forky: "bookworm", trixie: "bookworm" };
const server = settings(process.env).suite;

const test = plain.extend<{ client: Client }>({
  client: [async ({ guest }, use) => use(await clientNix(guest.state, OTHER[server])), { scope: "file" }],
});

async function nix(client: Client, ...command: string[]): Promise<string> {
  const env = { NIX_CONFIG: "experimental-features = nix-command\nrequire-sigs = false" };
  const { stdout, stderr, exitCode } = await client.run(command, { env });
  expect({ command, exitCode, stderr: exitCode === 0 ? "" : `${stderr}` }).toEqual({
    command,
    exitCode: 0,
    stderr: "",
  });
  return `${stdout}`.trim();
}

test.for(["ssh", "ssh-ng"] as const)(
  `${OTHER[server]}'s Nix copies to ${server}'s and back over %s://`,
  { timeout: 300_000 },
  async (scheme, { client, guest }) => {
    const store = client.store(scheme, "nix-alpha");
    const path = await nix(
      client,
      "sh",
      "-ec",
      `head -c 100000 /dev/urandom >/tmp/from-${scheme}; nix-store --add /tmp/from-${scheme}`,
    );
    const hash = await nix(client, "nix-store", "--query", "--hash", path);
    await nix(client, "nix", "copy", "--no-check-sigs", "--to", store, path);
    const there = await guest.asRoot(`nix-store --query --hash ${path}`);
    expect(`${there.stdout}`.trim()).toBe(hash);
    await nix(client, "nix-store", "--delete", path);
    await nix(client, "nix", "copy", "--no-check-sigs", "--from", store, path);
    expect(await nix(client, "nix-store", "--query", "--hash", path)).toBe(hash);
    for (const end of await recordsOf(guest, "alpha", "command.end"))
      expect(end).toMatchObject({ cause: "exit", exit_code: 0 });
  },
);
