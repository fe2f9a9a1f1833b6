import { expect } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import { endNixgate, killNixgate, type Story, storyOf } from "./hostile.ts";
import { supervised } from "./managers.ts";
import type { Guest } from "./support.ts";
import type { startClient } from "./waiting-client.ts";

/** client_gone_grace + stop_timeout of alpha in these tests, and what a busy machine may take besides, in milliseconds. */
export const BOUND = 2000 + 1500;
/** ClientAliveInterval × ClientAliveCountMax of the guest's sshd, twice. */
const ALIVE = 3000 + 6000;

/** What ends a session from outside. */
export interface Blow {
  /** How long until nixgate can know, in milliseconds. */
  readonly late: number;
  /** What it then says; undefined: nobody is left to say it. */
  readonly cause: "client-gone" | "killed-by-admin" | undefined;
  strike(client: ReturnType<typeof startClient>, guest: Guest): unknown;
}

export const BLOWS = {
  "the client is killed": { late: 0, cause: "client-gone", strike: (client) => client.kill("SIGKILL") },
  "the client stops answering": { late: ALIVE, cause: "client-gone", strike: (client) => client.kill("SIGSTOP") },
  "sshd loses the connection": {
    late: 0,
    cause: "client-gone",
    strike: (_, guest) => guest.asRoot("pkill -KILL -u nix-alpha -f '^sshd(-session)?: '"),
  },
  "the administrator ends nixgate": {
    late: 0,
    cause: "killed-by-admin",
    strike: (_, guest) => endNixgate(guest),
  },
  "nixgate is killed": { late: 0, cause: undefined, strike: (_, guest) => killNixgate(guest) },
} as const satisfies Record<string, Blow>;

/**
 * Expects the last session's records to end with this cause, the command's as well where it is on record. Where nobody
 * was left to write that, `nixgate recover` does.
 */
export async function expectCause(guest: Guest, cause: string | undefined): Promise<Story> {
  if (cause === undefined && supervised(guest)) return expectEnd(guest);
  const before = await storyOf(guest);
  if (cause === undefined) {
    expect(before.over).toBeUndefined();
    expect((await guest.asRoot("nixgate recover")).exitCode).toBe(0);
  }
  const story = cause === undefined ? await storyOf(guest) : before;
  const expected = cause ?? "supervisor-lost";
  if (story.begun) expect(story.ended?.cause).toBe(expected);
  expect(story.over?.cause).toBe(expected);
  return story;
}

/** A shim that is killed leaves a supervisor, which sees a command ended by SIGKILL, or that sshd lets the client go. */
async function expectEnd(guest: Guest): Promise<Story> {
  await waitFor("the end on record", async () => (await storyOf(guest)).over);
  const story = await storyOf(guest);
  expect(story.over?.cause).toMatch(/^(signal|client-gone|exit)$/);
  return story;
}
