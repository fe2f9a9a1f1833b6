import { dirname, join, resolve } from "node:path";
import type { Command, CommandResult } from "./cli/command.ts";
import { findCommand } from "./cli/find-command.ts";
import { commandHelp, overview } from "./cli/help.ts";
import { parseArguments } from "./cli/parse-arguments.ts";
import { UsageError } from "./cli/usage-error.ts";
import type { OutputPorts } from "./commands/sessions-output.ts";
import type { SessionsPorts } from "./commands/sessions-ports.ts";
import { leave, write } from "./system/leave.ts";
import { NixgateError } from "./units/error.ts";
import { ExitStatus } from "./units/exit-status.ts";
import { escapeText } from "./units/text.ts";

declare const NIXGATE_VERSION: string;

/** Where the package lies: dist/nixgate.cjs is this file, bundled. */
const ROOT = dirname(__dirname);
const PROGRAM = join(ROOT, "bin/nixgate");
const HOLDER = join(ROOT, "bin/nixgate-holder");
const CONFIG_DIR = "/etc/nixgate";

/** A command, loaded when it is called, with what builds its ports: a session does not pay for the others. */
type Entry = () => Promise<Bound>;
interface Bound {
  readonly command: Command<never>;
  run(words: readonly string[]): Promise<CommandResult>;
}

function bind<Ports>(command: Command<Ports>, ports: () => Ports | Promise<Ports>): Bound {
  return {
    command,
    run: async (words) => command.run(parseArguments(command, words), await ports()),
  };
}

const COMMANDS: Readonly<Record<string, Entry>> = {
  session: async () => {
    const { session } = await import("./commands/session.ts");
    return bind(session, async () => {
      const [{ sessionPorts }, { readOwnEnvironment }, machine, { readUserAuth }] = await Promise.all([
        import("./system/session-ports.ts"),
        import("./system/environment.ts"),
        import("./system/machine.ts"),
        import("./system/user-auth.ts"),
      ]);
      const environment = readOwnEnvironment();
      const account = machine.ownAccount();
      return {
        environment,
        account,
        machine: machine.ownMachine(),
        process: { pid: process.pid, version: NIXGATE_VERSION },
        holder: HOLDER,
        terminal: machine.stdinIsTerminal(),
        key: readUserAuth(environment, account.uid),
        configure: await configuring(),
        open: sessionPorts,
      };
    });
  },
  explain: async () => {
    const { explain } = await import("./commands/explain.ts");
    return bind(explain, async () => {
      const { newSessionId, ownAccount } = await import("./system/machine.ts");
      return { account: ownAccount(), holder: HOLDER, newSessionId, configure: await configuring() };
    });
  },
  check: async () => {
    const { check } = await import("./commands/check.ts");
    return bind(check, async () => ({ files: await ownFiles() }));
  },
  "authorized-keys": async () => {
    const { authorizedKeys } = await import("./commands/authorized-keys.ts");
    return bind(authorizedKeys, async () => ({ files: await ownFiles(), programPath: PROGRAM }));
  },
  demo: async () => {
    const { demo } = await import("./commands/demo.ts");
    return bind(demo, async () => (await import("./system/demo-ports.ts")).demoPorts(PROGRAM, join(ROOT, "policies")));
  },
  recover: async () => {
    const { recover } = await import("./commands/recover.ts");
    return bind(recover, () => ({
      async open(directory) {
        const [{ openArchive }, { mayClose, recoverPorts }] = await Promise.all([
          import("./system/archive.ts"),
          import("./system/recover-ports.ts"),
        ]);
        const { log } = await hostConfig(directory);
        return { archive: openArchive(log.directory), ports: recoverPorts(log.directory, log.journald), mayClose };
      },
    }));
  },
  "sessions list": async () => {
    const { sessionsList } = await import("./commands/sessions-list.ts");
    return bind(sessionsList, sessionsPorts);
  },
  "sessions show": async () => {
    const { sessionsShow } = await import("./commands/sessions-show.ts");
    return bind(sessionsShow, sessionsPorts);
  },
  "sessions verify": async () => {
    const { sessionsVerify } = await import("./commands/sessions-verify.ts");
    return bind(sessionsVerify, sessionsPorts);
  },
  "sessions export": async () => {
    const { sessionsExport } = await import("./commands/sessions-export.ts");
    return bind(sessionsExport, outputPorts);
  },
  "sessions report": async () => {
    const { sessionsReport } = await import("./commands/sessions-report.ts");
    return bind(sessionsReport, async () => {
      const { soundPolicies } = await import("./policy/load-all.ts");
      const files = await ownFiles();
      const policies = (directory = CONFIG_DIR) => soundPolicies(files, `${resolve(directory)}/policies`);
      return { ...(await outputPorts()), version: NIXGATE_VERSION, policies };
    });
  },
  "sessions top": async () => {
    const { sessionsTop } = await import("./commands/sessions-top.ts");
    return bind(sessionsTop, async () => {
      const [{ growthOf }, { liveFigures }, { hostFigures }, { clock, sleep }, { ownMachine }, screen] =
        await Promise.all([
          import("./system/growth.ts"),
          import("./system/live-figures.ts"),
          import("./system/host-figures.ts"),
          import("./system/clock.ts"),
          import("./system/machine.ts"),
          import("./system/screen.ts"),
        ]);
      return {
        ...(await sessionsPorts()),
        ...{ growthOf, liveFigures, hostFigures, sleep },
        host: ownMachine().host,
        monotonic: clock.monotonic,
        terminal: screen.stdoutIsTerminal(),
        colour: screen.wantsColour(),
        openScreen: screen.openScreen,
      };
    });
  },
  "render slices": async () => {
    const { renderSlicesCommand } = await import("./commands/render-slices.ts");
    return bind(renderSlicesCommand, async () => {
      const [{ uidOf }, { writeRendered }] = await Promise.all([
        import("./system/accounts.ts"),
        import("./system/write-rendered.ts"),
      ]);
      return { files: await ownFiles(), uidOf, write: writeRendered };
    });
  },
  "sessions kill": async () => {
    const { sessionsKill } = await import("./commands/sessions-kill.ts");
    return bind(sessionsKill, async () => {
      const [{ supervisorToSignal }, { sleep }, { patienceFor }] = await Promise.all([
        import("./system/supervisor.ts"),
        import("./system/clock.ts"),
        import("./session/patience.ts"),
      ]);
      const files = await ownFiles();
      return {
        ...(await sessionsPorts()),
        serving: supervisorToSignal,
        patience: (directory = CONFIG_DIR, team) => patienceFor(files, directory, team),
        sleep,
      };
    });
  },
};

async function ownFiles() {
  const { configFiles } = await import("./system/config-files.ts");
  return configFiles([process.getuid?.() ?? 0]);
}

async function configuring() {
  const { configure } = await import("./session/configuration.ts");
  const files = await ownFiles();
  return (team: string, member: string | undefined, directory = CONFIG_DIR) =>
    configure(files, resolve(directory), team, member);
}

/** @throws ConfigError */
async function hostConfig(directory = CONFIG_DIR) {
  const [{ loadHost }, { ConfigError }] = await Promise.all([
    import("./policy/load.ts"),
    import("./policy/config-error.ts"),
  ]);
  const { checked, code } = await loadHost(await ownFiles(), directory);
  if (!checked.ok) throw new ConfigError(code, checked.problems);
  return checked.value;
}

async function sessionsPorts(): Promise<SessionsPorts> {
  const [{ openArchive }, { livenessHere }] = await Promise.all([
    import("./system/archive.ts"),
    import("./system/liveness.ts"),
  ]);
  return {
    async archive({ logDirectory, configDirectory }) {
      return openArchive(logDirectory ?? (await hostConfig(configDirectory)).log.directory);
    },
    liveness: livenessHere,
    now: Date.now,
  };
}

async function outputPorts(): Promise<OutputPorts> {
  const { openOutput } = await import("./system/output-file.ts");
  return { ...(await sessionsPorts()), output: openOutput };
}

async function main(words: readonly string[]): Promise<CommandResult> {
  const [first] = words;
  if (first === "--version") return { status: ExitStatus.ok, stdout: `nixgate ${NIXGATE_VERSION}\n` };
  if (first === undefined || first === "--help" || first === "-h" || first === "help") {
    const page = overview((await Promise.all(Object.values(COMMANDS).map((entry) => entry()))).map((it) => it.command));
    return first === undefined ? { status: ExitStatus.usage, stderr: page } : { status: ExitStatus.ok, stdout: page };
  }
  const found = findCommand(COMMANDS, words);
  if (!found) throw new UsageError(`there is no command "${first}"`, { hint: "see nixgate --help" });
  const bound = await found.entry();
  const own = found.rest.includes("--") ? found.rest.slice(0, found.rest.indexOf("--")) : found.rest;
  if (own.includes("--help") || own.includes("-h")) {
    return { status: ExitStatus.ok, stdout: commandHelp(bound.command) };
  }
  return bound.run(found.rest);
}

/** The one place that turns an error into words and a status. */
function resultOf(error: unknown): CommandResult {
  if (error instanceof NixgateError) {
    const hint = error.hint === undefined ? "" : `nixgate: ${escapeText(error.hint)}\n`;
    return { status: error.exitStatus, stderr: `nixgate: ${escapeText(error.message)}\n${hint}` };
  }
  const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { status: ExitStatus.bug, stderr: `nixgate: this is a bug in nixgate: ${escapeText(said)}\n` };
}

function finish(result: CommandResult): void {
  if (result.stderr !== undefined) write(2, result.stderr);
  if (result.stdout !== undefined) write(1, result.stdout);
  leave(result.status);
}

process.on("uncaughtException", (error) => finish(resultOf(error)));
main(process.argv.slice(2)).then(finish, (error: unknown) => finish(resultOf(error)));
