import { setTimeout } from "node:timers/promises";
import { describe, expect } from "vitest";
import { isServeAnswer, isWorkerAnswer, serveHello, workerHello } from "../support/nix-protocol.ts";
import { waitFor } from "../support/wait-for.ts";
import { records, recordsOf } from "./records.ts";
import type { Guest, test as plain } from "./support.ts";
import { startClient } from "./waiting-client.ts";

/** A client in the guest with a store of its own; the builder's store is the guest's. */
const CLIENT = "local?root=/root/client";

async function root(guest: Guest, script: string): Promise<string> {
  const settings = "experimental-features = nix-command\nrequire-sigs = false\nwarn-dirty = false";
  const { stdout, stderr, exitCode } = await guest.asRoot("sh -es", {
    input: `export NIX_CONFIG='${settings}'\ncd /root\n${script}`,
  });
  if (exitCode !== 0) throw new Error(`status ${exitCode}: ${stderr}${stdout}`);
  return `${stdout}`.trim();
}

/** Makes a path in the client's store and gives it back. */
const newPath = (guest: Guest, name: string) =>
  root(guest, `head -c 200000 /dev/urandom >${name}; NIX_REMOTE='${CLIENT}' nix-store --add ${name}`);

const perlBytes = (bytes: Buffer) => bytes.toString("hex").replace(/../g, "\\x$&");

const STARTED = "started\n";

/** What real clients of Nix do with a builder. @param test hands out the guest, set up as its sessions are to be served */
export function realClients(test: typeof plain): void {
  describe.each(["ssh", "ssh-ng"])("a real Nix client over %s://", (scheme) => {
    test("copies a path to the builder and back, byte by byte the same", async ({ guest }) => {
      const path = await newPath(guest, `copied-${scheme}`);
      const store = `${scheme}://nix-alpha@localhost`;
      await root(guest, `nix copy --no-check-sigs --store '${CLIENT}' --to ${store} ${path}`);
      await root(guest, `cmp ${path} /root/client${path}`);
      await root(guest, `nix copy --no-check-sigs --store 'local?root=/root/back-${scheme}' --from ${store} ${path}`);
      await root(guest, `cmp ${path} /root/back-${scheme}${path}`);
      for (const end of await recordsOf(guest, "alpha", "command.end")) {
        expect(end).toMatchObject({ cause: "exit", exit_code: 0, leftovers: 0 });
        expect(end.usage).toMatchObject({ cpu_ms: expect.any(Number), memory_peak_bytes: expect.any(Number) });
      }
    });

    test("asks the store who it is", async ({ guest }) => {
      const answer = await root(guest, `nix store ping --store ${scheme}://nix-alpha@localhost 2>&1`);
      expect(answer).toContain("Store URL: ssh");
    });

    test("builds on the builder through the build hook", async ({ guest }) => {
      const name = `built-over-${scheme}`;
      const built = await root(
        guest,
        [
          `cat >${name}.nix <<'EOF'`,
          `derivation { name = "${name}"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo built > $out" ]; }`,
          "EOF",
          `NIX_REMOTE='${CLIENT}' nix-build ${name}.nix --no-out-link --max-jobs 0 \\`,
          `  --builders '${scheme}://nix-alpha@localhost x86_64-linux' 2>build.log || { cat build.log; exit 1; }`,
        ].join("\n"),
      );
      expect(await root(guest, `cat /root/client${built} ${built}`)).toBe("built\nbuilt");
    });
  });

  test("nix-copy-closure copies to and from the builder", async ({ guest }) => {
    const path = await newPath(guest, "closure");
    await root(guest, `NIX_REMOTE='${CLIENT}' nix-copy-closure --to nix-alpha@localhost ${path}`);
    await root(guest, `cmp ${path} /root/client${path}`);
    await root(guest, `NIX_REMOTE='local?root=/root/closure-back' nix-copy-closure --from nix-alpha@localhost ${path}`);
    await root(guest, `cmp ${path} /root/closure-back${path}`);
  });

  test("Lix 2.93.0 shakes hands: bash, echo started, exec", async ({ guest }) => {
    for (const [request, hello, isAnswer, length] of [
      ["nix-store --serve --write", serveHello, isServeAnswer, 16],
      ["nix-daemon --stdio", workerHello, isWorkerAnswer, 40],
    ] as const) {
      const said = Buffer.concat([Buffer.from(`echo started\nexec ${request}\n`), hello]);
      // stdin stays open until the answer is whole: Nix's programs may die of an end that comes with the greeting
      const talk = [
        "use IPC::Open2; my $ssh = open2(my $out, my $in, qw(ssh nix-alpha@localhost bash));",
        `syswrite $in, "${perlBytes(said)}"; read $out, my $answer, ${STARTED.length + length}; close $in;`,
        "print $answer, <$out>; waitpid $ssh, 0; exit $? >> 8",
      ];
      const { stdout, exitCode } = await guest.asRoot("perl -", { input: talk.join("\n") });
      expect(stdout.subarray(0, 8).toString()).toBe(STARTED);
      expect({ exitCode, answered: isAnswer(stdout.subarray(8)) }).toEqual({ exitCode: 0, answered: true });
    }
    expect((await recordsOf(guest, "alpha", "session.start")).at(-1)).toMatchObject({ mode: "loop" });
  });

  test("a person who opens a shell is told on stderr who they are and what the account is for, once", async ({
    guest,
  }) => {
    using client = startClient(guest);
    const said = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      client[name]?.on("data", (chunk: Buffer) => {
        said[name] += chunk;
      });
    await waitFor("the greeting", () => said.stderr.includes("\n"));
    await setTimeout(2000);
    expect(said).toEqual({
      stdout: "",
      stderr: expect.stringMatching(/^nixgate: you are of team alpha.*has no shell.*\(session [0-9a-f-]{36}\)\n$/),
    });
    client.stdin?.end("echo started\n");
    await new Promise((resolve) => client.once("close", resolve));
    expect({ ...said, status: client.exitCode }).toMatchObject({ stdout: STARTED, status: 0 });
  });

  test("ten sessions over one connection of the client's own each get a scope and a record", async ({ guest }) => {
    const before = (await recordsOf(guest, "alpha", "session.end")).length;
    await root(
      guest,
      [
        "ssh -o ControlMaster=yes -o ControlPath=/root/master -N -f nix-alpha@localhost",
        "for i in 1 2 3 4 5 6 7 8 9 10; do",
        `  perl -e 'print "${perlBytes(serveHello)}"' | ssh -o ControlPath=/root/master nix-alpha@localhost nix-store --serve --write >answer-$i &`,
        "done",
        "wait",
        "ssh -o ControlPath=/root/master -O exit nix-alpha@localhost",
        "for i in 1 2 3 4 5 6 7 8 9 10; do [ $(stat -c %s answer-$i) = 16 ]; done",
      ].join("\n"),
    );
    const ends = (await recordsOf(guest, "alpha", "session.end")).slice(before);
    expect(ends.map(({ exit }) => exit)).toEqual(Array(10).fill(0));
    const units = (await recordsOf(guest, "alpha", "command.start")).slice(-10).map(({ unit }) => unit);
    expect(new Set(units).size).toBe(10);
  });

  test("the archive of all this is sound", async ({ guest }) => {
    expect((await records(guest, "alpha")).length).toBeGreaterThan(20);
    expect(await root(guest, "nixgate sessions verify")).toContain("nothing found");
  });
}
