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
  help: `Prints nixgate.service, which runs nixgate supervise, a socket unit with the FIFO of each team, each team's slice with its
[team_limits], what keeps its account from a systemd of its own, a setting of the kernel, a policy that keeps the
accounts from the system bus, a list that keeps them from systemd's sockets, and the timer that has the records sealed. Each file is headed by the path where it
belongs. \`nixgate apply\` puts them in place and does all that follows; this is for those who want the files only. By
hand, once they are in place:

  systemctl daemon-reload && systemctl restart systemd-sysctl.service && systemctl reload dbus.service
  systemctl restart user@UID.service          (of each team's account that has a systemd of its own)
  systemctl enable nixgate.service && systemctl restart nixgate.service

The same again when a team comes or goes: the restart starts a new team's socket, and running sessions go on. Limits and
everything else of a policy are read for each session.

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
