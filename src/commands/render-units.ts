import type { Command } from "../cli/command.ts";
import { accountsOf } from "../policy/accounts.ts";
import { renderUnits } from "../render/units.ts";
import { RENDER_HELP, RENDER_OPTIONS, type RenderPorts, renderFiles } from "./render-files.ts";

export interface RenderUnitsPorts extends RenderPorts {
  /** nixgate's own absolute path, as the service is to start it. */
  readonly program: string;
}

export const renderUnitsCommand: Command<RenderUnitsPorts> = {
  name: "render units",
  summary: 'print the systemd units of manager = "system"',
  usage: "[--output DIR [--force]] [--config-dir DIR]",
  help: `Prints nixgate.service, which runs nixgate supervise, a socket unit with the FIFO of each team, each team's slice with its
[team_limits], the timer that has the records sealed, a policy that keeps the accounts from the system bus, where they
could keep systemd busy, and the kernel's ptrace_scope = 1, without which the supervisor serves nobody: a command could
take over its own session. Each file is headed by the path where it belongs. To change over: set manager = "system" in nixgate.toml, give the log folders to root (chown -R root /var/log/nixgate), put the
units in place, then

  systemctl daemon-reload && systemctl enable --now nixgate.socket 'nixgate-TEAM.socket' nixgate.service nixgate-seal.timer
  systemctl restart systemd-sysctl user@UID.service && systemctl reload dbus

and let sshd start "exec nixgate-front TEAM [MEMBER]" (nixgate authorized-keys prints it so). Print them again, and
restart nixgate.service, when a team comes or goes; limits and everything else of a policy are read for each session.

${RENDER_HELP}

An account is named like its team, or nix- and the team's name; one that this host does not know is named in a comment.
Exit status: 0; 64 for a wrong option; 73 where a file is there already or cannot be written; 78 where a policy has an
error.
`,
  options: RENDER_OPTIONS,
  run: (args, ports) =>
    renderFiles(
      {
        name: "render units",
        afterwards:
          "# Then: systemctl daemon-reload && systemctl enable --now nixgate.socket nixgate-TEAM.socket … nixgate.service nixgate-seal.timer; systemctl restart systemd-sysctl; systemctl reload dbus\n",
        render: ({ scope, log }, policies, configDirectory) => ({
          ...renderUnits(policies, accountsOf, ports.uidOf, {
            program: ports.program,
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
