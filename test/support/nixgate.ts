import { type SpawnOptions, spawn } from "node:child_process";
import { type Answer, answerOf } from "./run-session.ts";
import { NIXGATE } from "./workplace.ts";

/** Runs any command of the built program to its end; its status is data. */
export function nixgate(words: readonly string[], options: SpawnOptions = {}): Promise<Answer> {
  return answerOf(spawn(NIXGATE, words, { stdio: ["ignore", "pipe", "pipe"], ...options }));
}
