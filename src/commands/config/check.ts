import { basename, resolve } from "node:path";
import type { Arguments, Command, CommandResult } from "../../cli/command.ts";
import type { ConfigFiles } from "../../policy/config-files.ts";
import { type LoadedPolicy, loadAll, loadPolicies, sources } from "../../policy/load-all.ts";
import { isLockInForce, locksPath, readLocks } from "../../policy/locks.ts";
import type { Policy, Problem } from "../../policy/policy.ts";
import { formatProblem, isError } from "../../policy/problem.ts";
import { readHostConfig } from "../../policy/read-host-config.ts";
import { readPolicy } from "../../policy/read-policy.ts";
import { adviceFindings, emptyFindings } from "../../policy/rules/advice.ts";
import { betweenPolicies, placeEach } from "../../policy/rules/cross-check.ts";
import { expiryFindings, WARNED_DAYS } from "../../policy/rules/expiry.ts";
import { placeFindings } from "../../policy/source/source.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { unknownIn } from "../host/unknown-subject.ts";
import { CONFIG_DIRECTORY, CONFIG_OPTIONS } from "../shared/config-options.ts";
import { jsonDocument } from "../shared/json-document.ts";
import { hostWarnings } from "./host-check.ts";
import type { HostLook } from "./host-look.ts";

export interface CheckPorts {
  readonly files: ConfigFiles;
  /** The wall clock, in milliseconds since 1970. */
  now(): number;
  /** This host, for checks of its own configuration; absent where there is no host to inspect. */
  readonly host?: HostLook;
  /** The differences between this host and a configuration folder. */
  readonly onHost?: (directory: string) => Promise<readonly Problem[]>;
}

const HELP = `
Reads configuration as a session does and reports every problem, each as
\`file:line: message\` with its remedy below it. It changes nothing.

  PATH              a file, a folder of policies, or a configuration folder (one that holds
                    nixgate.toml or policies/); without one the folder of --config-dir.
                    A policy alone is checked by itself; a folder of policies also for keys and
                    accounts that two teams share; a configuration folder also against nixgate.toml.
                    The folder of --config-dir is also compared with this host: programs, accounts, log folders,
                    memory, and as root sshd's keys. A reason why a team cannot log in is a warning.
  --config-dir DIR  the configuration folder, ${CONFIG_DIRECTORY} by default
  --json            one JSON document on stdout:
                    {"ok": boolean, "files": number, "errors": number, "warnings": number,
                     "problems": [{"severity": "error" | "warning", "path", "line", "message", "fix"}]}
                    line is absent if the problem is about the whole file

A member whose \`until\` is past, or is less than ${WARNED_DAYS} days away, is a warning.

Without PATH, as root, it also reports differences between this host and the configuration: rendered files that are missing,
out of date, changed by hand or no longer needed, and units that do not run. \`nixgate apply\` corrects these. It also reports a
folder above nixgate's own program that sshd would not accept for an AuthorizedKeysCommand.

A file is read only if it and every folder above it belong to root or you, and no other account can write
there. The same holds for the folder of a link.

Example: nixgate check /etc/nixgate && systemctl reload ssh
Exit status: 0 no error (there may be warnings), 64 wrong usage, 75 the host cannot read a file at the moment,
78 at least one error.
`;

export const check: Command<CheckPorts> = {
  name: "check",
  summary: "validate the host's configuration and the policies",
  usage: "[PATH…] [--config-dir DIR] [--json]",
  help: HELP,
  options: { ...CONFIG_OPTIONS, json: { type: "boolean" } },
  run: runCheck,
};

async function runCheck(
  { positionals, options }: Arguments,
  { files, host, onHost, now }: CheckPorts,
): Promise<CommandResult> {
  const configDir = String(options["config-dir"] ?? CONFIG_DIRECTORY);
  const paths = positionals.length > 0 ? positionals : [configDir];
  const reports = await Promise.all(
    paths.map((path) => {
      const plain = path.replace(/(?<=.)\/+$/, "");
      return checkPath({ files, now: now() }, plain, resolve(plain) === resolve(configDir) ? host : undefined);
    }),
  );
  const own = reports.flatMap((report) => report.problems);
  const problems = [...own, ...((positionals.length === 0 && (await onHost?.(configDir))) || [])];
  const count = reports.reduce((sum, report) => sum + report.files, 0);
  const wrong = problems.filter(isError);
  const errors = wrong.length;
  const report = { ok: errors === 0, files: count, errors, warnings: problems.length - errors, problems };
  const status = report.ok
    ? ExitStatus.ok
    : wrong.every(({ temporary }) => temporary)
      ? ExitStatus.busy
      : ExitStatus.config;
  if (options["json"] === true) return { status, stdout: jsonDocument(report) };
  const lines = [...problems.map(formatProblem), closingLine(report)];
  return { status, stdout: `${lines.join("\n")}\n` };
}

interface Report {
  /** The number of files that were checked. */
  readonly files: number;
  readonly problems: readonly Problem[];
}

/** The files that a check reads, and the time of the check. */
interface Reading {
  readonly files: ConfigFiles;
  readonly now: number;
}

async function checkPath(reading: Reading, path: string, host?: HostLook): Promise<Report> {
  const { files } = reading;
  const kind = files.kind(path);
  if (kind.kind !== "found") return { files: 1, problems: [kind.problem] };
  if (kind.found === "file") return checkFile(reading, path);
  const names = files.list(path);
  if (names.kind !== "found") return { files: 1, problems: [names.problem] };
  if (names.found.some((name) => /^(?:nixgate\.(?:toml|json)|policies)$/.test(name))) {
    const config = await loadAll(files, path);
    const { policies, problems } = config;
    const here = host ? await hostWarnings(config, host) : [];
    return {
      files: 1 + policies.length,
      problems: [
        ...problems,
        ...(await aboutPolicies(`${path}/policies`, reading, policies)),
        ...lockProblems(path, reading, policies),
        ...here,
      ],
    };
  }
  const { policies, problems } = await loadPolicies(files, path);
  const between = await betweenPolicies(sources(policies));
  return {
    files: policies.length,
    problems: [...problems, ...between, ...(await aboutPolicies(path, reading, policies))],
  };
}

/**
 * Warns of a configuration that admits no session: a folder without a policy, and policies without a rule. Warns of
 * members whose access ends.
 */
async function aboutPolicies(
  folder: string,
  { files, now }: Reading,
  policies: readonly LoadedPolicy[],
): Promise<readonly Problem[]> {
  if (policies.length === 0 && files.list(folder).kind === "found") {
    const fix = `write ${folder}/TEAM.toml; policies/ of nixgate has examples`;
    const message = "holds no policy, so no client can log in";
    return [{ severity: "warning", path: folder, line: undefined, message, fix }];
  }
  return placeEach(sources(policies), ({ policy }) => [...emptyFindings(policy), ...expiryFindings(policy, now)]);
}

/** Warns of locks on nothing that the policies know. A file that cannot be read locks everybody. */
function lockProblems(folder: string, { files, now }: Reading, policies: readonly LoadedPolicy[]): readonly Problem[] {
  const path = locksPath(folder);
  const read = readLocks(files, folder);
  if (!read.ok) {
    const [message, fix] = [`${read.problem}, so everybody is locked`, "remove it, and set the locks again"];
    return [{ severity: "error", path, line: undefined, message, fix }];
  }
  return read.locks.flatMap((lock) => {
    const unknown = isLockInForce(lock, now) ? unknownIn(lock, policies) : undefined;
    if (!unknown) return [];
    const fix = `nixgate unlock ${lock.kind} ${lock.value}, if it is not needed`;
    return [{ severity: "warning", path, line: undefined, message: unknown.message, fix }];
  });
}

async function checkFile({ files, now }: Reading, path: string): Promise<Report> {
  const read = files.read(path);
  if (read.kind !== "found") return { files: 1, problems: [read.problem] };
  const { text } = read.found;
  if (/^nixgate\.(?:toml|json)$/.test(basename(path)))
    return { files: 1, problems: (await readHostConfig(text, path)).problems };
  const policy = await readPolicy(text, path);
  const found = ({ value }: { readonly value: Policy }) => [
    ...adviceFindings(value),
    ...emptyFindings(value),
    ...expiryFindings(value, now),
  ];
  const advice = policy.ok ? await placeFindings({ path, text }, found(policy)) : [];
  return { files: 1, problems: [...policy.problems, ...advice] };
}

function closingLine({ files, errors, warnings }: { files: number; errors: number; warnings: number }): string {
  const some = (count: number, noun: string) => `${count === 0 ? "no" : count} ${noun}${count === 1 ? "" : "s"}`;
  return `${some(files, "file")} checked: ${some(errors, "error")}, ${some(warnings, "warning")}`;
}
