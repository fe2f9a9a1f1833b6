import type { Command } from "../../cli/command.ts";
import { UsageError } from "../../cli/usage-error.ts";
import { decide } from "../../decision/decide.ts";
import type { Allow, Decision, Deny } from "../../decision/decision.ts";
import { parseRequest } from "../../request/parse-request.ts";
import type { Account } from "../../scope/environment.ts";
import { type Plan, planScope } from "../../scope/plan.ts";
import { withAccess } from "../../session/access.ts";
import type { Configuration } from "../../session/configuration.ts";
import type { ForcedCommand } from "../../session/forced-command.ts";
import type { ProgramProblem } from "../../session/ports.ts";
import { opensLineLoop } from "../../session/requests/ssh-environment.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import type { SessionId } from "../../units/ids.ts";
import { escapeText, shellWord } from "../../units/text.ts";
import { CONFIG_DIRECTORY, CONFIG_OPTIONS } from "../shared/config-options.ts";
import { jsonDocument } from "../shared/json-document.ts";

export interface ExplainPorts {
  readonly account: Account;
  readonly holder: string;
  newSessionId(at: number): SessionId;
  /** The wall clock, in milliseconds since 1970. */
  now(): number;
  /** Why the team's account cannot execute a program on this host; without such an account, why the caller cannot. */
  problemWithProgram(path: string, team: string, confined: boolean): ProgramProblem | undefined;
  /** The configuration of a session of this team and member. */
  configure(forced: ForcedCommand, configDir: string | undefined): Promise<Configuration>;
}

export const explain: Command<ExplainPorts> = {
  name: "explain",
  summary: "print the decision on a request",
  usage: "--team NAME [--member NAME] [--loop] [--json] [--config-dir DIR] -- REQUEST",
  help: `
The words of REQUEST are joined with one space, as ssh does. Quote REQUEST as one word to keep its spaces.

  --team NAME       the team whose policy decides
  --member NAME     one of the policy's members
  --loop            decide REQUEST as a line of the line loop, where \`echo started\` is answered
  --json            one JSON document: decision, rule, endpoint, argv, environment, unit, slice, properties,
                    builds_bounded_by, nix_conf, command_line;
                    with matched, the words of the rule's placeholders, if it has any
  --config-dir DIR  instead of /etc/nixgate

explain checks the program on this host, unless --config-dir names another configuration than the host's.
The account, its home and its uid are those of the caller. The session's id in the unit's name is an example.

Exit status, as the session's: 0 allowed, 65 malformed, 77 denied; 75 the host cannot look at the
configuration or the program at the moment; 78 the configuration is not valid, or the program cannot be executed.

  nixgate explain --team alpha -- nix-daemon --stdio`,
  options: {
    team: { type: "string" },
    member: { type: "string" },
    loop: { type: "boolean" },
    json: { type: "boolean" },
    ...CONFIG_OPTIONS,
  },
  async run({ options, positionals }, ports) {
    const { team, member, loop, json } = options;
    if (typeof team !== "string")
      throw new UsageError("--team NAME is missing", { hint: "see nixgate explain --help" });
    if (positionals.length === 0) throw new UsageError("the request is missing", { hint: "write it after --" });
    const forced = { team, member: member as string | undefined };
    const arrived = { startedAt: ports.now(), arrivedAt: 0 };
    const known = await ports.configure(forced, options["config-dir"] as string | undefined);
    const found = withAccess(known, { forced, arrived, connection: {} });
    if (!found.ok) {
      const { reason, message, status } = found.refusal;
      const document = { decision: "deny", reason, rule: null, message };
      return json ? { status, stdout: jsonDocument(document) } : { status, stderr: `nixgate: ${message}\n` };
    }
    const { host, policy } = found;
    const request = new TextEncoder().encode(positionals.join(" "));
    if (loop !== true && opensLineLoop(request)) return lineLoop(json === true);
    const decision = decide(
      parseRequest(request, policy.session.lineMaxBytes),
      policy,
      host.programs,
      loop === true ? "loop" : "command",
    );
    const plan =
      decision.kind === "allow"
        ? planScope(decision, { host, policy, session: ports.newSessionId(Date.now()), n: 1, ...ports })
        : undefined;
    const isHere = options["config-dir"] === undefined || options["config-dir"] === CONFIG_DIRECTORY;
    const problem =
      plan && isHere ? ports.problemWithProgram(plan.argv[0], policy.team, plan.confinement !== undefined) : undefined;
    const status = problem ? statusOfProblem(problem) : statusOf(decision);
    const stdout = json
      ? jsonDocument({ ...asDocument(decision, plan), ...(problem && { problem: problem.message, fix: problem.fix }) })
      : asText(decision, plan) + (plan && problem ? programText(plan.argv[0], problem) : "");
    return { status, stdout };
  },
};

const statusOfProblem = ({ temporary }: ProgramProblem) => (temporary ? ExitStatus.busy : ExitStatus.config);

const programText = (path: string, problem: ProgramProblem): string =>
  `\n${escapeText(`but the session is refused with ${statusOfProblem(problem)}: ${path} ${problem.message}`)}\n    fix: ${escapeText(problem.fix)}\n`;

const LINE_LOOP = "a request for a shell: the session reads its requests as lines on stdin";

function lineLoop(json: boolean) {
  const stdout = json
    ? jsonDocument({ decision: "allow", endpoint: "line-loop", message: LINE_LOOP })
    : `${LINE_LOOP}\n`;
  return { status: ExitStatus.ok, stdout };
}

function statusOf(decision: Decision): ExitStatus {
  if (decision.kind !== "deny") return ExitStatus.ok;
  return decision.reason === "malformed" || decision.reason === "too-long" ? ExitStatus.malformed : ExitStatus.denied;
}

function asDocument(decision: Decision, plan: Plan | undefined): object {
  switch (decision.kind) {
    case "allow":
      return {
        decision: "allow",
        rule: decision.rule.name,
        endpoint: decision.endpoint,
        ...(decision.matched.length > 0 && { matched: decision.matched }),
        ...(plan && {
          argv: plan.argv,
          environment: plan.environment,
          ...(plan.manager !== "none" && {
            unit: plan.unit,
            slice: plan.slice,
            properties: Object.fromEntries(propertiesOf(plan).map(({ name, value }) => [name, value])),
          }),
          builds_bounded_by: plan.buildsBoundedBy,
          ...(plan.buildDaemon && { nix_conf: plan.buildDaemon.conf }),
          command_line: plan.commandLine,
        }),
      };
    case "answer":
      return { decision: "allow", rule: null, endpoint: "echo-started" };
    case "deny": {
      const { reason, rule, message } = decision;
      return { decision: "deny", reason, rule: rule?.name ?? null, message };
    }
  }
}

/** The limits, and the sandbox where there is one. */
const propertiesOf = (plan: Plan) => [...plan.properties, ...(plan.confinement ?? [])];

function asText(decision: Decision, plan: Plan | undefined): string {
  const steps = decision.trace.map(({ looked, found }) => `  ${looked}: ${found}`);
  const lines = [headline(decision), "", "steps of the decision:", ...(steps.length > 0 ? steps : ["  none"])];
  if (plan) {
    lines.push("", "command line:", `  ${plan.commandLine.map(shellWord).join(" ")}`, "", "environment:");
    lines.push(...Object.entries(plan.environment).map(([name, value]) => `  ${name}=${value}`));
    if (plan.manager === "none") {
      lines.push("", 'manager = "none": no scope; limits are rlimits, for each process alone, as far as they go');
    } else {
      lines.push("", `${plan.confinement ? "service" : "scope"}: ${plan.unit} in ${plan.slice}`);
      lines.push(...propertiesOf(plan).map(({ name, value }) => `  ${name}=${value}`));
    }
    lines.push("", ...buildLines(plan));
  }
  return `${lines.map(escapeText).join("\n")}\n`;
}

/** What holds the builds that the command asks Nix's daemon for. */
function buildLines({ buildDaemon, slice }: Plan): readonly string[] {
  if (buildDaemon === undefined)
    return ["its builds: those that the host's own nix-daemon does are outside of these limits"];
  const { service, conf } = buildDaemon;
  const settings = conf.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return [
    `its builds: ${service} in ${slice}, within the same limits; its nix.conf:`,
    ...settings.map((line) => `  ${line}`),
  ];
}

function headline(decision: Allow | Deny | Decision): string {
  if (decision.kind === "deny") return `denied (${decision.reason}): ${decision.message}`;
  if (decision.kind === "answer") return "allowed: nixgate itself answers `started`";
  return `allowed by ${decision.rule.name} as ${decision.endpoint}: ${decision.argv.map(shellWord).join(" ")}`;
}
