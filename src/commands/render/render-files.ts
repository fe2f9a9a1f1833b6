import { resolve } from "node:path";
import type { Arguments, CommandResult } from "../../cli/command.ts";
import { optionsOnly, textOption } from "../../cli/options.ts";
import { UsageError } from "../../cli/usage-error.ts";
import { ConfigError } from "../../policy/config-error.ts";
import type { ConfigFiles } from "../../policy/config-files.ts";
import { loadAll } from "../../policy/load-all.ts";
import type { HostConfig, Policy } from "../../policy/policy.ts";
import { isError } from "../../policy/problem.ts";
import { headed } from "../../render/made-by.ts";
import type { Rendered, UidOf } from "../../render/slices.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { escapeText } from "../../units/text.ts";
import { CONFIG_DIRECTORY, CONFIG_HELP, CONFIG_OPTIONS } from "../shared/config-options.ts";

export interface RenderPorts {
  readonly files: ConfigFiles;
  readonly uidOf: UidOf;
  /**
   * Writes the files below a folder, each at its own path.
   * @throws NixgateError E_RENDER_EXISTS, E_RENDER_WRITE
   * @returns the paths that were written
   */
  write(folder: string, files: Rendered["files"], options: { readonly force: boolean }): readonly string[];
}

export const RENDER_OPTIONS = {
  output: { type: "string" },
  force: { type: "boolean" },
  ...CONFIG_OPTIONS,
} as const;

export const RENDER_HELP = `  --output DIR       write the files below DIR instead (--output / installs them)
  --force            overwrite existing files
${CONFIG_HELP}

An account has its team's name, or nix- and the team's name. A comment names a team whose account does not exist.
Exit status: 0; 64 for a wrong option; 73 if a file exists already or cannot be written; 78 if a policy has an
error.
`;

/** One kind of files that is generated from the configuration. */
export interface Target {
  /** As typed: `render slices`. */
  readonly name: string;
  /** Comments on the steps after the files are installed. */
  readonly afterwards: string;
  render(host: HostConfig, policies: readonly Policy[], directory: string): Rendered & { readonly note: string };
}

/** Prints the files with their paths, or writes them there. */
export async function renderFiles(
  target: Target,
  { positionals, options }: Arguments,
  ports: RenderPorts,
): Promise<CommandResult> {
  optionsOnly(target.name, positionals);
  const folder = textOption(options, "output");
  const force = options["force"] === true;
  if (force && folder === undefined) throw new UsageError("--force needs --output DIR");
  const directory = resolve(textOption(options, "config-dir") ?? CONFIG_DIRECTORY);
  const { host, policies, problems } = await loadAll(ports.files, directory);
  const errors = problems.filter(isError);
  if (errors.length > 0 || !host.checked.ok) throw new ConfigError("E_CONFIG_INVALID", errors);
  const sound = policies.flatMap(({ checked }) => (checked.ok ? [checked.value] : []));
  const { note, omitted, files } = target.render(host.checked.value, sound, directory);
  const rendered = { omitted, files: files.map((file) => headed(file, directory)) };
  if (folder === undefined) return { status: ExitStatus.ok, stdout: note + asText(rendered, target.afterwards) };
  const written = ports.write(folder, rendered.files, { force });
  return {
    status: ExitStatus.ok,
    stdout: written.map((path) => `${escapeText(path)}\n`).join(""),
    stderr: note + comments(rendered) + (written.length > 0 ? target.afterwards : ""),
  };
}

function asText(rendered: Rendered, afterwards: string): string {
  const files = rendered.files.map(({ path, text }) => `# ${path}\n${text}\n`);
  const how =
    rendered.files.length === 0
      ? "# There is no file to install.\n"
      : `# Install each part as the file that its first line names, owned by root with mode 0644.\n${afterwards}\n`;
  return how + files.join("") + comments(rendered);
}

const comments = ({ omitted }: Rendered) =>
  omitted.map(({ about, fix }) => `# Left out: ${about}.\n#   fix: ${fix}\n`).join("");
