import type { Ask } from "./shim/shim-channel.ts";

/** `PID NUMBER STATUS SIGNAL`; the status is missing before the first command, the signal mostly. */
const ASK = /^(\d{1,10}) (\d{1,6}) (\d{0,3})(?: (HUP|INT|TERM)?)?$/;
const KILL = /^kill (\d{1,10}) (\S{1,32})$/;

/** What a shim says through its team's FIFO; undefined for a line that is none of a shim's. */
export function askIn(line: string): (Ask & { readonly pid: number }) | undefined {
  const [, pid, number, status = "", hit] = ASK.exec(line) ?? [];
  if (pid === undefined) return undefined;
  const ask = { pid: Number(pid), number: Number(number), status: status === "" ? undefined : Number(status) };
  return hit === undefined ? ask : { ...ask, isHit: true };
}

/** What root says through the control FIFO, to end a session: `kill PID TEAM`. */
export function killIn(line: string): { readonly pid: number; readonly team: string } | undefined {
  const [, pid, team] = KILL.exec(line) ?? [];
  return team === undefined ? undefined : { pid: Number(pid), team };
}

/** What `nixgate recover` asks through it: which sessions are being served. @returns the word that the answer repeats */
export const servingIn = (line: string): string | undefined => /^serving ([0-9a-f]{16})$/.exec(line)?.[1];
