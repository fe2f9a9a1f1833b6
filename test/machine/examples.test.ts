import { expect } from "vitest";
import { restorePolicies } from "./policies.ts";
import { recordsOf } from "./records.ts";
import { type Guest, test as plain } from "./support.ts";

const PACKAGE = "/usr/lib/node_modules/nixgate/policies";
const MIB = 1 << 20;

/** What a client of each example may ask for, with what memory, and what not. */
const EXAMPLES = {
  ci: { allowed: "nix-daemon --stdio", memoryMax: 1024, denied: "nix-store --serve" },
  mirror: { allowed: "nix-store --serve --write", memoryMax: 512, denied: "nix-daemon --stdio" },
  untrusted: { allowed: "nix-daemon --stdio", memoryMax: 2048, denied: "nix-store --serve --write" },
  workstations: { allowed: "nix-store -r", memoryMax: 2048, denied: "nix-store -r /nix/store" },
};

const test = plain.extend<{ builder: Guest }>({
  builder: [
    async ({ guest }, use) => {
      await restorePolicies(guest);
      await use(guest);
      await restorePolicies(guest);
    },
    { scope: "file" },
  ],
});

test("the package brings these examples and no other", async ({ builder }) => {
  const { stdout } = await builder.asRoot(`ls ${PACKAGE}`);
  expect(`${stdout}`.trim().split("\n")).toEqual(Object.keys(EXAMPLES).map((name) => `${name}.toml`));
});

test.for(Object.entries(EXAMPLES))(
  "policies/%s.toml serves a team as it says",
  async ([name, { allowed, memoryMax, denied }], { builder }) => {
    // The team's name is all that somebody who starts from it must change. Here other tests' starts count as well.
    const change = 's/^team = .*/team = "alpha"/; s/^max_starts_per_minute = .*/max_starts_per_minute = 600/';
    const install = `sed '${change}' ${PACKAGE}/${name}.toml >/etc/nixgate/policies/alpha.toml`;
    const checked = await builder.asRoot(`${install} && nixgate check`);
    expect(checked.exitCode, `${checked.stdout}${checked.stderr}`).toBe(0);

    // Nix's status for a client that says nothing is its own business
    await builder.ssh("nix-alpha", allowed);
    expect((await recordsOf(builder, "alpha", "command.start")).at(-1)).toMatchObject({
      request: allowed,
      limits: { applied: { MemoryMax: String(memoryMax * MIB) } },
    });
    expect((await recordsOf(builder, "alpha", "command.end")).at(-1)).toMatchObject({ cause: "exit", leftovers: 0 });

    const refused = await builder.ssh("nix-alpha", denied);
    expect(refused.exitCode).toBe(77);
    expect(`${refused.stderr}`).toMatch(/^nixgate: .*\(session [0-9a-f-]{36}\)\n$/);
    expect((await recordsOf(builder, "alpha", "command.deny")).at(-1)).toMatchObject({ request: denied });
  },
);
