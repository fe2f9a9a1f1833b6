import type { Command } from "../../cli/command.ts";
import { accountsOf } from "../../policy/accounts.ts";
import { renderUnits } from "../../render/units.ts";
import { RENDER_HELP, RENDER_OPTIONS, type RenderPorts, renderFiles } from "./render-files.ts";

export interface RenderUnitsPorts extends RenderPorts {
  /** The absolute path of nixgate, as the service should start it. */
  readonly program: string;
  /** The version of nixgate. */
  readonly version: string;
  /** The primary group of an account. */
  readonly gidOf: (account: string) => number | undefined;
}

export const renderUnitsCommand: Command<RenderUnitsPorts> = {
  name: "render units",
  summary: 'print the systemd units of manager = "system"',
  usage: "[--output DIR [--force]] [--config-dir DIR]",
  help: `Prints these files, each after a line with its path:

- nixgate.service, which runs nixgate supervise
- for each team a socket unit with its FIFO, a slice with its [team_limits], and a drop-in that keeps its account from a
  systemd of its own
- a setting of the kernel, kernel.yama.ptrace_scope
- a policy that keeps the accounts from the system bus, and a list that keeps them from systemd's sockets
- the timer that seals the records

\`nixgate apply\` installs the files and runs the commands below. To install them by hand, run afterwards:

  systemctl daemon-reload && systemctl restart systemd-sysctl.service && systemctl reload dbus.service
  systemctl restart user@UID.service          (of each team's account that has a systemd of its own)
  systemctl enable nixgate.service && systemctl restart nixgate.service

Do the same when a team is added or removed. The restart starts the socket of a new team, and running sessions continue.
nixgate reads the policy anew for each session.

${RENDER_HELP}`,
  options: RENDER_OPTIONS,
  run: (args, ports) =>
    renderFiles(
      {
        name: "render units",
        afterwards:
          "# Then: systemctl daemon-reload && systemctl restart systemd-sysctl.service && systemctl reload dbus\n" +
          "#   && systemctl enable nixgate.service && systemctl restart nixgate.service. nixgate apply --yes does all of it.\n",
        render: ({ scope, log }, policies, configDirectory) => ({
          ...renderUnits(policies, accountsOf, ports.uidOf, {
            program: ports.program,
            version: ports.version,
            gidOf: ports.gidOf,
            configDirectory,
            logDirectory: log.directory,
          }),
          note:
            scope.manager === "system"
              ? ""
              : `# scope.manager is "${scope.manager}": these serve manager = "system".\n`,
        }),
      },
      args,
      ports,
    ),
};
