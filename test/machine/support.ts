import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { execa } from "execa";
import { inject, test as plain } from "vitest";
import { guestNamed } from "../../tools/machine/guest.ts";
import type { GuestState } from "../../tools/machine/state.ts";
import { rootSocket, sshCommand } from "../../tools/machine/talk.ts";

/** How a program ended, whatever its status: a refusal is data here, not an exception. */
export interface Outcome {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** The program's, 128 + the number of its signal being ssh's own habit; undefined when a signal ended ssh itself. */
  readonly exitCode: number | undefined;
}

export const outcome = (done: { stdout: Uint8Array; stderr: Uint8Array; exitCode?: number }): Outcome => ({
  stdout: Buffer.from(done.stdout),
  stderr: Buffer.from(done.stderr),
  exitCode: done.exitCode,
});

interface Input {
  /** What the command reads, then end of file. */
  readonly input?: Uint8Array | string;
  /** More of ssh(1)'s options. */
  readonly options?: string[];
}

/** A running guest, as tests use it. */
export class Guest {
  readonly state: GuestState;

  constructor(state: GuestState) {
    this.state = state;
  }

  /** Sends a request over a connection of its own, as a client does. @param command none: no request at all */
  async ssh(user: string, command?: string, { input = "", options = [] }: Input = {}): Promise<Outcome> {
    return this.#send(sshCommand(this.state, user, command === undefined ? [] : [command], options), input);
  }

  /** Runs a line of sh as root, over the connection that the test run holds where there is one. */
  async asRoot(command: string, { input = "" }: Input = {}): Promise<Outcome> {
    const shared = ["-o", "ControlMaster=no", "-o", `ControlPath=${rootSocket(this.state)}`];
    return this.#send(sshCommand(this.state, "root", [command], shared), input);
  }

  /** Runs a line of sh as a team's account, past nixgate, with its user manager in reach. */
  async asAccount(user: string, command: string): Promise<Outcome> {
    const inside = `XDG_RUNTIME_DIR=/run/user/$(id -u) exec sh -s`;
    return this.asRoot(`runuser -u ${user} -- sh -c 'cd; ${inside}'`, { input: command });
  }

  async copyIn(localPath: string, guestPath: string): Promise<void> {
    const done = await this.asRoot(`umask 022; cat >'${guestPath}'`, { input: readFileSync(localPath) });
    if (done.exitCode !== 0) throw new Error(`${basename(localPath)}: ${done.stderr}`);
  }

  /** Ends what a file of tests left: the teams' processes and scopes, the records, the failed units. */
  async clean(): Promise<void> {
    const done = await this.asRoot(
      [
        "for team in alpha beta gamma; do",
        // a test may have killed it, and it would come back with the account's next session only
        '  systemctl start "user@$(id -u "nix-$team").service"',
        '  pkill -KILL -u "nix-$team" -f nixgate',
        '  runuser -u "nix-$team" -- env XDG_RUNTIME_DIR="/run/user/$(id -u "nix-$team")" sh -c "',
        "    systemctl --user --quiet kill --signal=KILL 'nixgate-*.scope'",
        '    systemctl --user --quiet reset-failed"',
        "done 2>/dev/null",
        "systemctl reset-failed",
        "find /var/log/nixgate -type f -delete",
        // their copies and their seals, which would miss them
        "rm -rf /var/lib/nixgate",
        "journalctl --quiet --rotate",
        "rm -f /run/log/journal/*/*@*.journal",
      ].join("\n"),
    );
    if (done.exitCode !== 0) throw new Error(`the guest could not be cleaned: ${done.stderr}`);
  }

  async #send([file, ...words]: string[], input: Uint8Array | string): Promise<Outcome> {
    return outcome(
      await execa(file as string, words, { input, reject: false, encoding: "buffer", stripFinalNewline: false }),
    );
  }
}

/** The guest of this test run, clean at the start of every file that asks for it. */
export const test = plain.extend<{ guest: Guest }>({
  guest: [
    // biome-ignore lint/correctness/noEmptyPattern: vitest reads the fixture's needs from this pattern
    async ({}, use) => {
      const guest = new Guest(guestNamed(inject("guestName")));
      await guest.clean();
      await use(guest);
    },
    { scope: "file" },
  ],
});

declare module "vitest" {
  export interface ProvidedContext {
    guestName: string;
  }
}
