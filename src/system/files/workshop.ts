import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { type LoopbackSshd, startSshd } from "../demo/loopback-sshd.ts";

/** SIGINT, SIGTERM or SIGHUP came while a program ran, or before it started. */
export class Interrupted extends Error {}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** How long a program may take to end after SIGTERM, in milliseconds. */
const PATIENCE_TIMEOUT_MS = 2000;
/** No program of the demo takes this long, in milliseconds. */
const TIMEOUT_MS = 120_000;

/** A private folder for running programs. It is removed when this process ends for any reason but SIGKILL. */
export function openWorkshop({ keep }: { readonly keep: boolean }) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "nixgate-demo-")));
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  const remove = () => {
    if (!keep) rmSync(folder, { recursive: true, force: true });
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  process.once("exit", remove);
  let sshd: LoopbackSshd | undefined;
  const orInterrupted = () => {
    if (stop.signal.aborted) throw new Interrupted();
  };

  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };

  return {
    folder,
    makeFolder: (name: string) => void mkdirSync(join(folder, name), { mode: 0o700 }),
    write,
    async run([file = "", ...args]: readonly string[], environment: Readonly<Record<string, string>>) {
      orInterrupted();
      const ran = await execa(file, args, {
        env: { PATH: process.env["PATH"] ?? "", HOME: folder, XDG_CACHE_HOME: folder, LANG: "C.UTF-8", ...environment },
        extendEnv: false,
        cwd: folder,
        input: "",
        reject: false,
        stripFinalNewline: false,
        timeout: TIMEOUT_MS,
        cancelSignal: stop.signal,
        forceKillAfterDelay: PATIENCE_TIMEOUT_MS,
      });
      orInterrupted();
      const { exitCode, stdout, stderr, shortMessage } = ran;
      if (ran.timedOut || exitCode === undefined) return { status: -1, stdout, stderr: `${stderr}${shortMessage}\n` };
      return { status: exitCode, stdout, stderr };
    },
    async startSshd(forcedCommand: string) {
      orInterrupted();
      const sshFolder = join(folder, "ssh");
      mkdirSync(sshFolder, { mode: 0o700 });
      sshd = await startSshd({
        folder: sshFolder,
        config: ["ExposeAuthInfo yes"],
        authorizedKeys: (key) => `restrict,command="${forcedCommand}" ${key}\n`,
      });
      return sshd;
    },
    async close() {
      try {
        await sshd?.stop();
      } finally {
        remove();
        process.off("exit", remove);
        for (const signal of SIGNALS) process.off(signal, interrupt);
      }
    },
  };
}
