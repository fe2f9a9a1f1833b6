import type { Command } from "../../cli/command.ts";
import { accountsOf } from "../../policy/accounts.ts";
import { formatProblem } from "../../policy/problem.ts";
import { renderSshd, SSHD_FILE } from "../../render/sshd.ts";
import { type UnsafePart, unsafe } from "../config/host-findings.ts";
import { plain } from "../config/key-options.ts";
import { CONFIG_DIRECTORY } from "../shared/config-options.ts";
import { RENDER_HELP, RENDER_OPTIONS, type RenderPorts, renderFiles } from "./render-files.ts";

export interface RenderSshdPorts extends RenderPorts {
  /** The absolute path of nixgate, as sshd should start it. */
  readonly program: string;
  /** The first part of the path to nixgate itself that sshd would refuse; undefined where there is none. */
  unsafeWay(): UnsafePart | undefined;
}

export const renderSshdCommand: Command<RenderSshdPorts> = {
  name: "render sshd",
  summary: "print sshd's Match block for the teams' accounts",
  usage: "[--output DIR [--force]] [--config-dir DIR]",
  help: `Prints the block of sshd_config(5) for the accounts of all teams, with the path of this nixgate. The policies' keys decide
who may log in; every other way in is closed. sshd reads it from ${SSHD_FILE}, where sshd_config
has "Include /etc/ssh/sshd_config.d/*.conf", as Debian's has. No earlier block may match these accounts.

The block matches nix-*, so a team that is added or removed needs no new one. It is only rendered again for an account without
nix-, after an update that moves nixgate, or with another --config-dir. MaxStartups is advice in a comment: it is a setting of
the whole sshd. Run afterwards:

  sshd -t && sshd -T -C user=nix-TEAM,host=client,addr=192.0.2.1 | grep -i authorizedkeys
  systemctl reload ssh.service

${RENDER_HELP}`,
  options: RENDER_OPTIONS,
  run: (args, ports) =>
    renderFiles(
      {
        name: "render sshd",
        afterwards: "# Then: sshd -t && systemctl reload ssh.service\n",
        render: (host, policies, directory) => {
          const way = ports.unsafeWay();
          const file = "sshd_config";
          return {
            ...renderSshd(host, policies, {
              program: plain(ports.program, file),
              configDirectory: directory === CONFIG_DIRECTORY ? undefined : plain(directory, file),
              accountsOf,
              uidOf: ports.uidOf,
            }),
            note: way ? `# ${formatProblem(unsafe(way)).replace(/\n */, "\n#   ")}\n` : "",
          };
        },
      },
      args,
      ports,
    ),
};
