import { expect } from "vitest";
import { settings } from "../../tools/machine/settings.ts";
import { waitFor } from "../support/wait-for.ts";
import { allow, restorePolicies } from "./policies.ts";
import { recordsOf } from "./records.ts";
import { type Guest, test as plain } from "./support.ts";

/** An account that trusted-users of nix.conf(5) does not name, on a host that wants signatures as Nix does by default. */
const ACCOUNT = "nix-gamma@localhost";
const POLICY = `schema = 1
team = "gamma"
[[allow]]
endpoint = "store-serve-write"
[[allow]]
endpoint = "daemon-stdio"
stores = ["local?root=/srv/my own store"]
[limits]
MemoryMax = "512M"
`;

const wantSignatures = (guest: Guest, answer: boolean) =>
  guest.asRoot(
    `sed -i 's/^require-sigs.*/require-sigs = ${answer}/' /etc/nix/nix.conf && systemctl restart nix-daemon`,
  );

const test = plain.extend<{ builder: Guest }>({
  builder: [
    async ({ guest }, use) => {
      await restorePolicies(guest);
      await guest.asRoot("cat >/etc/nixgate/policies/gamma.toml; install -d -o nix-gamma '/srv/my own store'", {
        input: POLICY,
      });
      await wantSignatures(guest, true);
      await use(guest);
      await wantSignatures(guest, false);
      await restorePolicies(guest);
    },
    { scope: "file" },
  ],
});

/** Runs a client with a store of its own in the guest. @returns its status and all that it said */
async function client(
  guest: Guest,
  script: string,
): Promise<{ readonly status: number | undefined; readonly said: string }> {
  const { exitCode, stdout, stderr } = await guest.asRoot("sh -s", {
    input: `cd /root; export NIX_CONFIG='experimental-features = nix-command
require-sigs = false' NIX_REMOTE='local?root=/root/untrusted'
make() { echo "derivation { name = \\"$1\\"; system = \\"x86_64-linux\\"; builder = \\"/bin/sh\\"; args = [ \\"-c\\" \\"echo $1 > \\$out\\" ]; }" >$1.nix; }
${script}`,
  });
  return { status: exitCode, said: `${stdout}${stderr}` };
}

const hook = (guest: Guest, scheme: string) =>
  client(
    guest,
    `make hook-${scheme}; nix-build hook-${scheme}.nix --no-out-link -j0 --builders '${scheme}://${ACCOUNT} x86_64-linux'`,
  );

test("the build hook needs trusted-users over ssh://, and over ssh-ng:// with an old Nix", async ({ builder }) => {
  const unprivileged = {
    status: 1,
    said: expect.stringContaining("not privileged to build input-addressed derivations"),
  };
  expect(await hook(builder, "ssh")).toMatchObject(unprivileged);
  const old = settings(process.env).suite === "bookworm"; // Nix 2.8; it works since NixOS/nix#3921
  expect(await hook(builder, "ssh-ng")).toMatchObject(old ? unprivileged : { status: 0 });
});

test("nix build --store needs no trust", async ({ builder }) => {
  const build = "make far; nix build --impure --no-link -f far.nix --eval-store $NIX_REMOTE --store";
  expect(await client(builder, `${build} ssh-ng://${ACCOUNT}`)).toMatchObject({ status: 0 });
});

test("the store refuses unsigned paths, takes paths that need no signature, and gives its own", async ({ builder }) => {
  const made = "make up; out=$(nix-build up.nix --no-out-link 2>/dev/null)";
  const unsigned = { status: 1, said: expect.stringMatching(/lacks a (?:valid )?signature/) };
  expect(await client(builder, `${made}; nix-copy-closure --to ${ACCOUNT} $out`)).toMatchObject(unsigned);
  expect(await client(builder, `${made}; nix copy --no-check-sigs --to ssh-ng://${ACCOUNT} $out`)).toMatchObject(
    unsigned,
  );
  const free = `set -e; make up; echo free >free; nix-copy-closure --to ${ACCOUNT} $(nix-instantiate up.nix) $(nix-store --add free)
    NIX_REMOTE='local?root=/root/untrusted-too' nix-copy-closure --from ${ACCOUNT} $(nix-store --add free)`;
  expect(await client(builder, free)).toMatchObject({ status: 0 });
});

test("a client can delete unrooted paths over daemon-stdio, and none over ssh://", async ({ builder }) => {
  const others = (await client(builder, "echo others >others; NIX_REMOTE= nix-store --add others")).said.trim();
  expect(others).toMatch(/^\/nix\/store\/[^ \n]+-others$/);
  expect((await client(builder, `nix store delete --store ssh://${ACCOUNT} ${others}`)).status).not.toBe(0);
  expect((await builder.asRoot(`test -e ${others}`)).exitCode).toBe(0);
  expect(await client(builder, `nix store delete --store ssh-ng://${ACCOUNT} ${others}`)).toMatchObject({ status: 0 });
  expect((await builder.asRoot(`test -e ${others}`)).exitCode).toBe(1);
});

test("a listed store whose URI has spaces is served, whether the client's Nix quotes it or not", async ({
  builder,
}) => {
  const ping = (uri: string) => client(builder, `nix store ping --store 'ssh-ng://${ACCOUNT}?remote-store=${uri}'`);
  expect(await ping("local%3Froot%3D/srv/my%20own%20store")).toMatchObject({ status: 0 });
  expect((await recordsOf(builder, "gamma", "command.start")).at(-1)).toMatchObject({
    argv: ["/usr/bin/nix-daemon", "--stdio", "--store", "local?root=/srv/my own store"],
  });
  expect((await ping("local%3Froot%3D/srv/my%20own%20stores")).status).not.toBe(0);
  expect((await recordsOf(builder, "gamma", "command.deny")).at(-1)).toMatchObject({ reason: "store-not-allowed" });
});

// ssh(1) gives up where a terminal that -tt asks for is refused (CONFIRM_TTY in clientloop.c). Its sshd may be gone before the
// supervisor looks at the shim: then the session counts as one that sshd did not start.
test("no session is refused for a terminal that sshd has refused", async ({ builder }) => {
  await allow(builder, "gamma", { mark: ["/bin/echo", "marked"] });
  const ends = () => recordsOf(builder, "gamma", "session.end");
  const refusals = () => recordsOf(builder, "gamma", "session.refuse");
  const before = { ends: (await ends()).length, refusals: (await refusals()).length };
  const { said } = await client(builder, `ssh -tt ${ACCOUNT} mark </dev/null`);
  expect(said).toContain("PTY allocation request failed");
  await waitFor("its record", async () => (await ends()).length > before.ends, 60_000);
  const reasons = (await refusals()).slice(before.refusals).map(({ reason }) => reason);
  expect(reasons.filter((reason) => reason !== "not-by-sshd")).toEqual([]);
  expect((await ends()).at(-1)).toMatchObject({ denied: 0 });
});
