/**
 * All exit statuses that nixgate itself uses: sysexits(3). A command that ran keeps its own status, or 128 + the
 * signal's number. Nix exits with 1 and 100 to 107, so nixgate uses none of these.
 */
export const ExitStatus = {
  ok: 0,
  usage: 64,
  malformed: 65,
  unavailable: 69,
  bug: 70,
  cannotCreate: 73,
  ioError: 74,
  busy: 75,
  denied: 77,
  config: 78,
} as const;

export type ExitStatus = (typeof ExitStatus)[keyof typeof ExitStatus];
