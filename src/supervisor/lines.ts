import { type Pid, toPid } from "../units/ids.ts";
import type { Ask } from "./shim/shim-channel.ts";

/**
 * `PID NUMBER STATUS SIGNAL`. The status is missing before the first command. The signal is missing if the shim
 * received none.
 */
const ASK = /^(\d{1,10}) (\d{1,6}) (\d{0,3})(?: (HUP|INT|TERM)?)?$/;
const KILL = /^kill (\d{1,10}) (\S{1,32})$/;

/** Parses a shim's line in its team's FIFO; undefined for a line of another form. */
export function askIn(line: string): (Ask & { readonly pid: Pid }) | undefined {
  const [, pid, number, status = "", hit] = ASK.exec(line) ?? [];
  if (pid === undefined) return undefined;
  const ask = { pid: toPid(Number(pid)), number: Number(number), status: status === "" ? undefined : Number(status) };
  return hit === undefined ? ask : { ...ask, isHit: true };
}

/** Parses root's line in the control FIFO that ends a session: `kill PID TEAM`. */
export function killIn(line: string): { readonly pid: Pid; readonly team: string } | undefined {
  const [, pid, team] = KILL.exec(line) ?? [];
  return team === undefined ? undefined : { pid: toPid(Number(pid)), team };
}

/**
 * Parses the question of `nixgate recover` for the sessions that are being served. @returns the word that the answer
 * repeats
 */
export const servingAskIn = (line: string): string | undefined => /^serving ([0-9a-f]{16})$/.exec(line)?.[1];
