import type { Command } from "../../cli/command.ts";
import { accountsOf } from "../../policy/accounts.ts";
import type { Manager } from "../../policy/policy.ts";
import { renderSlices } from "../../render/slices.ts";
import { RENDER_HELP, RENDER_OPTIONS, type RenderPorts, renderFiles } from "./render-files.ts";

/** A note on the slices for other managers. */
const NOT_THE_USERS: Readonly<Partial<Record<Manager, string>>> = {
  system:
    '# scope.manager is "system": sessions run in slices of root\'s (nixgate render units). What is printed here bounds what an\n# account runs beside them, through cron(8), lingering or a user manager.\n',
  none: '# scope.manager is "none": there are no slices. What is printed here bounds the accounts only where pam_systemd(8) puts\n# their ssh sessions into user slices.\n',
};

export const renderSlicesCommand: Command<RenderPorts> = {
  name: "render slices",
  summary: "print drop-ins that limit the account of each team",
  usage: "[--output DIR [--force]] [--config-dir DIR]",
  help: `Prints a systemd drop-in for the user slice of each team's account, made from [team_limits]. It limits all processes of the
account. It belongs to root, and the account cannot raise it. Under manager = "user" the account can raise the limits of its
own scopes. The line before each file has its path. Run systemctl daemon-reload afterwards. A running slice gets the new
limits when the account's next session starts.

${RENDER_HELP}`,
  options: RENDER_OPTIONS,
  run: (args, ports) =>
    renderFiles(
      {
        name: "render slices",
        afterwards:
          "# Then: systemctl daemon-reload. A running slice gets the limits when the account's next session starts.\n" +
          "# The limits in force: cat /sys/fs/cgroup/user.slice/user-UID.slice/{pids,memory}.max\n",
        render: ({ scope }, policies) => ({
          ...renderSlices(policies, accountsOf, ports.uidOf),
          note: NOT_THE_USERS[scope.manager] ?? "",
        }),
      },
      args,
      ports,
    ),
};
