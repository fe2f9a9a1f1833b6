import type { Command } from "../cli/command.ts";
import { UsageError } from "../cli/usage-error.ts";
import { accountsOf } from "../policy/accounts.ts";
import { ConfigError } from "../policy/config-error.ts";
import type { ConfigFiles } from "../policy/config-files.ts";
import { loadAll } from "../policy/load-all.ts";
import type { Manager } from "../policy/policy.ts";
import { isError } from "../policy/problem.ts";
import { type Rendered, renderSlices, type UidOf } from "../render/slices.ts";
import { ExitStatus } from "../units/exit-status.ts";
import { escapeText } from "../units/text.ts";
import { textOption } from "./sessions-ports.ts";

export interface RenderSlicesPorts {
  readonly files: ConfigFiles;
  readonly uidOf: UidOf;
  /**
   * Writes the files below a folder, each at its own path. @throws NixgateError E_RENDER_EXISTS, E_RENDER_WRITE
   * @returns the paths that were written
   */
  write(folder: string, files: Rendered["files"], options: { readonly force: boolean }): readonly string[];
}

const DEFAULT_DIRECTORY = "/etc/nixgate";

/** Why there is nothing to print under another manager. */
const NOT_THE_USERS: Readonly<Partial<Record<Manager, string>>> = {
  system:
    "# scope.manager is \"system\": the team's slices are root's already, so an account cannot raise them and needs no outer bound.\n",
  none: '# scope.manager is "none": there are no slices. What is printed here bounds the accounts only where pam_systemd(8) puts\n# their ssh sessions into user slices.\n',
};

export const renderSlicesCommand: Command<RenderSlicesPorts> = {
  name: "render slices",
  summary: "print drop-ins that bound each team's account from outside",
  usage: "[--output DIR [--force]] [--config-dir DIR]",
  help: `Prints a systemd drop-in for the user slice of each team's account, made from [team_limits]: a bound around everything
that the account runs, which belongs to root and which the account cannot raise. Under manager = "user" it can raise the
limits of its own scopes. Each file is headed by the path where it belongs; then: systemctl daemon-reload. A running
slice takes the new bound when the account's next session starts.

  --output DIR       write the files below DIR instead (--output / puts them in place)
  --force            overwrite files that are there
  --config-dir DIR   the configuration folder, ${DEFAULT_DIRECTORY} by default

An account is named like its team, or nix- and the team's name; one that this host does not know is named in a comment.
Exit status: 0; 64 for a wrong option; 73 where a file is there already or cannot be written; 78 where a policy has an
error.
`,
  options: { output: { type: "string" }, force: { type: "boolean" }, "config-dir": { type: "string" } },
  async run({ positionals, options }, ports) {
    if (positionals[0] !== undefined)
      throw new UsageError(`${escapeText(positionals[0])}: render slices takes options only`);
    const folder = textOption(options, "output");
    const force = options["force"] === true;
    if (force && folder === undefined) throw new UsageError("--force needs --output DIR");
    const directory = textOption(options, "config-dir") ?? DEFAULT_DIRECTORY;
    const { host, policies, problems } = await loadAll(ports.files, directory);
    const errors = problems.filter(isError);
    if (errors.length > 0 || !host.checked.ok) throw new ConfigError("E_CONFIG_INVALID", errors);
    const sound = policies.flatMap(({ checked }) => (checked.ok ? [checked.value] : []));
    const { manager } = host.checked.value.scope;
    const rendered: Rendered =
      manager === "system" ? { files: [], omitted: [] } : renderSlices(sound, accountsOf, ports.uidOf);
    const note = NOT_THE_USERS[manager] ?? "";
    if (folder === undefined) return { status: ExitStatus.ok, stdout: note + asText(rendered) };
    const written = ports.write(folder, rendered.files, { force });
    return {
      status: ExitStatus.ok,
      stdout: written.map((path) => `${escapeText(path)}\n`).join(""),
      stderr: note + comments(rendered) + (written.length > 0 ? RELOAD : ""),
    };
  },
};

const RELOAD =
  "# Then: systemctl daemon-reload; a running slice takes the bound when the account's next session starts.\n" +
  "# What the kernel holds: cat /sys/fs/cgroup/user.slice/user-UID.slice/{pids,memory}.max\n";

function asText(rendered: Rendered): string {
  const files = rendered.files.map(({ path, text }) => `# ${path}\n${text}\n`);
  const how =
    rendered.files.length === 0
      ? "# There is no file to put in place.\n"
      : `# Put each part into the file that its first line names, owned by root and with mode 0644.\n${RELOAD}\n`;
  return how + files.join("") + comments(rendered);
}

const comments = ({ omitted }: Rendered) =>
  omitted.map(({ about, fix }) => `# Left out: ${about}.\n#   fix: ${fix}\n`).join("");
