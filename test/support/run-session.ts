import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { onTestFinished } from "vitest";
import { NIXGATE, type Workplace } from "./workplace.ts";

export interface Asked {
  /** SSH_ORIGINAL_COMMAND; none opens the line loop. */
  readonly request?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  readonly team?: string;
  readonly words?: readonly string[];
  readonly stdio?: SpawnOptions["stdio"];
  /** A program, with its words, that runs it. */
  readonly through?: readonly string[];
}

export interface Answer {
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly status: number | null;
}

/** Starts `nixgate session` as sshd does: a forced command with pipes for stdin, stdout and stderr. */
export function startSession(place: Workplace, asked: Asked): ChildProcess {
  const { request, environment = {}, team = "alpha", words = [], stdio = "pipe", through = [] } = asked;
  const own = [NIXGATE, "session", "--team", team, "--config-dir", place.config, ...words];
  const [program, ...rest] = [...through, ...own] as [string, ...string[]];
  const child = spawn(program, rest, {
    env: {
      PATH: "/usr/bin:/bin",
      SSH_CONNECTION: "192.0.2.7 50022 192.0.2.1 22",
      ...(request === undefined ? {} : { SSH_ORIGINAL_COMMAND: request }),
      ...environment,
    },
    stdio,
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** Runs a session to its end. A status that is not 0 is an answer like any other. */
export async function session(place: Workplace, asked: Asked): Promise<Answer> {
  const child = startSession(place, asked);
  child.stdin?.on("error", () => undefined).end(asked.input ?? "");
  return answerOf(child);
}

export function answerOf(child: ChildProcess): Promise<Answer> {
  const stdout: Buffer[] = [];
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => {
    child.once("close", (status) => resolve({ stdout: Buffer.concat(stdout), stderr, status }));
  });
}

/**
 * Talks as a Nix client does: what it says goes out in one write, and stdin ends only when the answer is whole. Nix's
 * programs of 2.8 crash now and then when stdin ends together with the greeting, with nixgate as without.
 */
export async function converse(place: Workplace, asked: Asked, isWhole: (stdout: Buffer) => boolean): Promise<Answer> {
  const child = startSession(place, asked);
  let seen = Buffer.alloc(0);
  child.stdout?.on("data", (chunk: Buffer) => {
    seen = Buffer.concat([seen, chunk]);
    if (isWhole(seen)) child.stdin?.end();
  });
  child.stdin?.on("error", () => undefined).write(asked.input ?? "");
  return answerOf(child);
}
