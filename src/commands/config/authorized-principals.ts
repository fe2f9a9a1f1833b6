import type { Command } from "../../cli/command.ts";
import { textOption } from "../../cli/options.ts";
import { UsageError } from "../../cli/usage-error.ts";
import { fingerprintsOf } from "../../policy/rules/certificates.ts";
import { certificateNumber, type ForcedCommand } from "../../session/forced-command.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { FINGERPRINT } from "../../units/ssh-key.ts";
import { CONFIG_DIRECTORY, CONFIG_OPTIONS } from "../shared/config-options.ts";
import { restrictions } from "./key-options.ts";
import { type AuthorizedKeysPorts, keyholders } from "./keyholders.ts";

const HELP = `
Prints lines of principals made from the policies' members, for certificates of the CAs in TrustedUserCAKeys
(sshd_config(5)):

  Match User nix-*
    TrustedUserCAKeys /etc/ssh/nixgate-ca.pub
    AuthorizedPrincipalsCommand /usr/local/bin/nixgate authorized-principals --user %u --key %f --ca %F --serial %s
    AuthorizedPrincipalsCommandUser nobody

A principal is printed if a [[member]] lists it under \`principals\`, and if the CA is in a [[ca]] of the team or of
nixgate.toml. Each line has the member's \`from\` and \`until\` (expiry-time), and forces the same command as the lines of
nixgate authorized-keys, with the certificate: --certificate CA:SERIAL.

  --user U          only the team that this account serves
  --key F           the fingerprint of the certified key, as SHA256:…
  --ca F            the fingerprint of the CA's key, as SHA256:…
  --serial N        the serial of the certificate
  --config-dir DIR  the configuration folder, ${CONFIG_DIRECTORY} by default; another one becomes an option of
                    the session

Errors of a policy are told as nixgate authorized-keys tells them.
Exit status: 0 (also with no principal to print), 64 wrong usage, 75 the host cannot read the policies at the moment, 78 they
cannot be read at all.
`;

export const authorizedPrincipals: Command<AuthorizedKeysPorts> = {
  name: "authorized-principals",
  summary: "print the principals of certificates, for sshd",
  usage: "--key F --ca F --serial N [--user U] [--config-dir DIR]",
  help: HELP,
  options: {
    user: { type: "string" },
    key: { type: "string" },
    ca: { type: "string" },
    serial: { type: "string" },
    ...CONFIG_OPTIONS,
  },
  async run({ options }, ports) {
    const key = textOption(options, "key") ?? "";
    const certificate = certificateNumber(`${textOption(options, "ca")}:${textOption(options, "serial")}`);
    if (!FINGERPRINT.test(key) || !certificate)
      throw new UsageError("authorized-principals needs --key, --ca and --serial", {
        hint: "see nixgate authorized-principals --help for sshd's line",
      });
    const { holders, program, stderr } = await keyholders(options, ports);
    const lines = holders
      .filter(({ ca }) => fingerprintsOf(ca).includes(certificate.ca))
      .flatMap(({ team, members }) =>
        members.flatMap((member) => {
          const forced: ForcedCommand = { team, member: member.name, key, certificate };
          const before = `restrict,${restrictions(member)}command="${program(forced)}"`;
          return member.principals.map((principal) => `${before} ${principal}\n`);
        }),
      );
    return { status: ExitStatus.ok, stdout: lines.join(""), stderr };
  },
};
