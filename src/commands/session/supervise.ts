import type { Command } from "../../cli/command.ts";
import { optionsOnly, textOption } from "../../cli/options.ts";
import { type SupervisePorts, superviseSessions as superviseAll } from "../../session/supervise.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { CONFIG_HELP, CONFIG_OPTIONS } from "../shared/config-options.ts";

export interface SuperviseCommandPorts {
  /** @throws NixgateError where systemd has passed no FIFO, or the caller is not root */
  open(configDirectory: string | undefined): Promise<SupervisePorts>;
}

export const supervise: Command<SuperviseCommandPorts> = {
  name: "supervise",
  summary: 'serve all sessions under manager = "system"',
  usage: "[--config-dir DIR]",
  help: `nixgate.service runs this command as root. \`nixgate render units\` prints that service with its sockets. sshd starts
nixgate-shim for each session. The shim sends its pid through the FIFO of its team, stops itself, and carries out the
answer. The supervisor reads the account, the request and the client's address from the kernel. It decides, makes the
scopes in the system's slices, reads the limits back and writes the records, which belong to root.

${CONFIG_HELP}; policies are read anew for each session

Exit status: 0 after SIGTERM; 64 for a wrong option; 69 if systemd has passed no FIFO, or the caller is not root.
`,
  options: { ...CONFIG_OPTIONS },
  async run({ positionals, options }, { open }) {
    optionsOnly("supervise", positionals);
    await superviseAll(await open(textOption(options, "config-dir")));
    return { status: ExitStatus.ok };
  },
};
