import { waitFor } from "../support/wait-for.ts";
import { sliceFolder } from "./managers.ts";
import { allow, restorePolicies } from "./policies.ts";
import { recordsOf } from "./records.ts";
import { type Guest, test as plain } from "./support.ts";

export const test = plain.extend<{ builder: Guest }>({
  builder: [
    async ({ guest }, use) => {
      await restorePolicies(guest);
      await allow(guest, "alpha", {
        wait: ["/bin/sleep", "60"],
        brief: ["/bin/sh", "-c", "sleep 4; exit 6"],
        quick: ["/bin/true"],
        mark: ["/bin/sh", "-c", "echo ran >>$HOME/ran; sleep 60"],
      });
      await use(guest);
      await guest.asRoot("systemctl reset-failed; systemctl start nixgate.service");
      await restorePolicies(guest);
    },
    { scope: "file" },
  ],
});

export const text = async (guest: Guest, command: string) => `${(await guest.asRoot(command)).stdout}`.trim();
export const SHIM = "pgrep -u nix-alpha -f '^/bin/sh /usr/local/bin/nixgate-shim'";
/** The process itself, as the OOM killer would: what carries its records to the journal has time to end. */
export const killSupervisor = (guest: Guest) => signalSupervisor(guest, "KILL");
export const signalSupervisor = (guest: Guest, signal: "KILL" | "STOP" | "CONT") =>
  guest.asRoot(`kill -${signal} $(systemctl show nixgate.service -P MainPID)`);
/** It reads the two latest days of each team first, which takes seconds behind a thousand sessions. */
export const restarted = (guest: Guest) =>
  waitFor(
    "the supervisor",
    () => guest.asRoot("kill -0 $(cat /run/nixgate/_ready)").then(({ exitCode }) => exitCode === 0),
    60_000,
  );
export const lastEnd = async (guest: Guest) => (await recordsOf(guest, "alpha", "session.end")).at(-1);
export const nothingLeft = (guest: Guest) =>
  waitFor(
    "nothing to be left",
    async () =>
      (await text(guest, `${SHIM}; pgrep -u nix-alpha sleep; ls -d ${sliceFolder(guest)}/*.scope 2>/dev/null`)) === "",
  );

const DROP_IN = "/run/systemd/system/nixgate.service.d";

/** In the supervisor's place systemd starts something that answers nobody. */
export const neverBack = (guest: Guest, goes = "systemctl restart nixgate.service") =>
  guest.asRoot(
    `mkdir -p ${DROP_IN}; printf '[Service]\\nExecStart=\\nExecStart=sleep 1000\\n' >${DROP_IN}/never.conf; systemctl daemon-reload; ${goes}`,
  );

export const backAgain = (guest: Guest) =>
  guest.asRoot(`rm -r ${DROP_IN}; systemctl daemon-reload; systemctl restart nixgate.service`);

const GENERATOR = "/run/systemd/system-generators/slow";

/** A script for root: for so many seconds PID 1 waits for a generator (systemd.generator(7)), and answers nobody. */
export const busySystemd = (seconds: number) =>
  `mkdir -p ${GENERATOR.slice(0, GENERATOR.lastIndexOf("/"))}; printf '#!/bin/sh\\nsleep ${seconds}\\n' >${GENERATOR}; chmod 755 ${GENERATOR}
   systemctl daemon-reload & sleep 1; rm ${GENERATOR}`;
