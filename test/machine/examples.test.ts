import { expect } from "vitest";
import { settings } from "../../tools/machine/settings.ts";
import { restorePolicies } from "./policies.ts";
import { recordsOf } from "./records.ts";
import { type Guest, test as plain } from "./support.ts";

const PACKAGE = "/usr/local/lib/node_modules/nixgate/policies";
const MIB = 1 << 20;

/** What a client of each example may ask for, with what memory, and what not. */
const EXAMPLES = {
  ci: { allowed: "nix-daemon --stdio", memoryMax: 1024, denied: "nix-store --serve" },
  mirror: { allowed: "nix-store --serve --write", memoryMax: 512, denied: "nix-daemon --stdio" },
  untrusted: { allowed: "nix-daemon --stdio", memoryMax: 2048, denied: "nix-store --serve --write" },
  workstations: { allowed: "nix-daemon --stdio", memoryMax: 2048, denied: "nix-store -r /nix/store" },
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

/** The team's name is all that somebody who starts from an example must change. Here other tests' starts count as well. */
async function install(builder: Guest, name: string): Promise<void> {
  const change = 's/^team = .*/team = "alpha"/; s/^max_starts_per_minute = .*/max_starts_per_minute = 600/';
  const put = `sed '${change}' ${PACKAGE}/${name}.toml >/etc/nixgate/policies/alpha.toml`;
  const checked = await builder.asRoot(`${put} && nixgate check`);
  expect(checked.exitCode, `${checked.stdout}${checked.stderr}`).toBe(0);
}

test("the package brings these examples and no other", async ({ builder }) => {
  const { stdout } = await builder.asRoot(`ls ${PACKAGE}`);
  expect(`${stdout}`.trim().split("\n")).toEqual(Object.keys(EXAMPLES).map((name) => `${name}.toml`));
});

test.for(Object.entries(EXAMPLES))(
  "policies/%s.toml serves a team as it says",
  async ([name, { allowed, memoryMax, denied }], { builder }) => {
    await install(builder, name);

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

/** Steps of nixos-rebuild and of nixos-rebuild-ng with --build-host, whose requests the example names. */
test.for([
  ["nixos-rebuild", "nix-store -r $drv", []],
  [
    "nixos-rebuild-ng",
    "nix --extra-experimental-features 'nix-command flakes' build '$drv^*' --print-out-paths",
    ["bookworm"], // whose Nix 2.8 knows no ^*
  ],
] as const)(
  "policies/workstations.toml serves %s --build-host",
  async ([name, request, without], { builder, skip }) => {
    if (without.some((suite) => suite === settings(process.env).suite)) skip("its Nix knows no ^*");
    await install(builder, "workstations");
    const script = `
    export NIX_REMOTE='local?root=/root/rebuild' NIX_CONFIG='require-sigs = false'
    cd /root
    echo 'derivation { name = "system-by-${name}"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo ${name} > $out" ]; }' >system.nix
    drv=$(nix-instantiate system.nix)
    nix-copy-closure --to nix-alpha@localhost $drv
    out=$(ssh nix-alpha@localhost "${request}")
    nix-copy-closure --from nix-alpha@localhost $out
    echo $drv; cat /root/rebuild$out`;
    const { stdout, stderr, exitCode } = await builder.asRoot("sh -es", { input: script });
    expect({ exitCode, stderr: exitCode === 0 ? "" : `${stderr}` }).toEqual({ exitCode: 0, stderr: "" });
    const [derivation = "", built] = `${stdout}`.trim().split("\n");
    expect(built).toBe(name);
    const starts = await recordsOf(builder, "alpha", "command.start");
    const [{ argv, matched } = {}] = starts.filter((start) => start.matched).slice(-1);
    expect(matched).toEqual([expect.objectContaining({ word: expect.stringContaining(derivation) })]);
    expect(argv).toContain(matched?.[0]?.word);
  },
);
