import { type ChildProcess, spawn } from "node:child_process";
import { onTestFinished } from "vitest";
import type { Builder } from "./builder.ts";
import { type Answer, answerOf } from "./run-session.ts";

/** An ssh client that a test talks to while it runs. */
export interface Client {
  readonly child: ChildProcess;
  readonly answer: Promise<Answer>;
  send(bytes: string | Uint8Array): void;
  /** Waits until at least so many bytes came on stdout, and gives what came. */
  receive(bytes: number): Promise<Buffer>;
}

export function startClient(builder: Builder, words: readonly string[]): Client {
  const child = spawn("ssh", ["-F", builder.sshd.clientConfig, ...words], { env: builder.clientEnvironment });
  onTestFinished(() => void child.kill("SIGKILL"));
  child.stdin.on("error", () => undefined);
  let received = Buffer.alloc(0);
  let look = () => {};
  child.stdout.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    look();
  });
  return {
    child,
    answer: answerOf(child),
    send: (bytes) => void child.stdin.write(bytes),
    receive: (bytes) =>
      new Promise((resolve, reject) => {
        look = () => void (received.length >= bytes && resolve(received));
        child.once("close", () => reject(new Error(`the session ended after ${received.length} bytes`)));
        look();
      }),
  };
}
