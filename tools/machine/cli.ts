#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { execa } from "execa";
import { NixgateError } from "../../src/units/error.ts";
import { MachineUsage } from "./error.ts";
import { guestNamed, restartGuest, startGuest, stopGuest } from "./guest.ts";
import { installMissing, requireHost } from "./host.ts";
import { image } from "./image.ts";
import { kernel } from "./kernel.ts";
import { settings } from "./settings.ts";
import { ADDRESS, inNetwork, sshCommand } from "./talk.ts";

const USAGE = `usage: npm run machine -- build | start | ssh USER [CMD] | in CMD | run FILE [ARG] | status | reboot | stop

  build     makes the disk image and fetches the kernel, installing what this host lacks
  start     boots a guest and installs this working tree's nixgate in it
  ssh       logs in as USER (root, nix-alpha, nix-beta, nix-gamma), or sends CMD
  in        runs CMD on this host, but in the guest's network (guest ${ADDRESS}, host 192.0.2.1)
  run       runs a script as root in the guest
  status    says whether the guest runs, and what systemd thinks of itself
  reboot    has the guest shut down and boot again on the same disk
  stop      ends the guest and leaves nothing behind

  SUITE=trixie|bookworm|forky  NAME=default  MEM=1536M  MANAGER=user|system
  PACKAGE=FILE.tgz   instead of packing this working tree
  KERNEL=SUITE       the kernel of this suite only, instead of the best that is to be had
`;

const started = Date.now();
const say = (line: string) => console.error(`[${((Date.now() - started) / 1000).toFixed(1).padStart(5)} s] ${line}`);

type Action = (words: readonly string[]) => Promise<number>;

const ACTIONS: Readonly<Record<string, Action>> = {
  async build() {
    requireHost();
    await installMissing(say);
    const { suite, kernels } = settings(process.env);
    const { suite: from } = await kernel(say, kernels);
    await image(suite, say);
    say(`ready: ${suite} on the kernel of ${from}`);
    return 0;
  },

  async start() {
    requireHost();
    const options = settings(process.env);
    await installMissing(say);
    endOnSignal(options.name);
    const guest = await startGuest({ ...options, outlives: true }, say);
    say(`guest ${guest.name} is up: ${guest.suite} on the kernel of ${guest.kernel}`);
    return 0;
  },

  async stop() {
    await stopGuest(settings(process.env).name);
    return 0;
  },

  async status() {
    const guest = guestNamed(settings(process.env).name);
    const state = `systemctl is-system-running; nix --version; uname -r`;
    console.log(`guest ${guest.name}: ${guest.suite}, kernel of ${guest.kernel}, manager ${guest.manager}`);
    return pass(sshCommand(guest, "root", [state]));
  },

  async reboot() {
    await restartGuest(guestNamed(settings(process.env).name), "systemctl reboot");
    return 0;
  },

  async ssh([user, ...words]) {
    if (user === undefined) throw new MachineUsage("ssh: USER is missing", "ssh root");
    return pass(sshCommand(guestNamed(settings(process.env).name), user, words));
  },

  async in(words) {
    if (words.length === 0) throw new MachineUsage("in: CMD is missing", "in ssh -V");
    return pass([...inNetwork(guestNamed(settings(process.env).name)), ...words]);
  },

  async run([file, ...words]) {
    if (file === undefined) throw new MachineUsage("run: FILE is missing", "run script.sh");
    const script = readFileSync(file);
    const arguments_ = words.map((word) => ` '${word.replaceAll("'", "'\\''")}'`).join("");
    const inside = `f=$(mktemp) && trap 'rm -f "$f"' EXIT && cat >"$f" && chmod 700 "$f" && "$f"${arguments_}`;
    return pass(sshCommand(guestNamed(settings(process.env).name), "root", [inside]), script);
  },
};

/** Runs a command with this process's own streams. @returns its status, or 128 + the signal's number */
async function pass(command: readonly string[], input?: Buffer): Promise<number> {
  const [file, ...words] = command as [string, ...string[]];
  const how = { reject: false, stdout: "inherit", stderr: "inherit" } as const;
  const done = await (input ? execa(file, words, { ...how, input }) : execa(file, words, { ...how, stdin: "inherit" }));
  return done.exitCode ?? 128 + (done.signal === undefined ? 1 : constants.signals[done.signal as NodeJS.Signals]);
}

/** Ends the guest when its start is interrupted. The kernel kills the tool's other child processes with it. */
function endOnSignal(name: string): void {
  // Not `once`: execa's own handler ends the process at once when it is the only handler.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => void stopGuest(name).finally(() => process.exit(128 + constants.signals[signal])));
}

async function main([word, ...words]: readonly string[]): Promise<number> {
  if (word === "--help" || word === "-h") {
    console.log(USAGE);
    return 0;
  }
  const action = Object.hasOwn(ACTIONS, word ?? "") ? ACTIONS[word as string] : undefined;
  if (action === undefined) throw new MachineUsage(word === undefined ? "no action" : `${word}: no such action`, USAGE);
  return action(words);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof NixgateError)) throw error;
  console.error(`machine: ${error.message}${error.hint === undefined ? "" : `\n  ${error.hint}`}`);
  process.exitCode = error.exitStatus;
}
