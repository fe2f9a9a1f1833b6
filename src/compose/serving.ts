import { bind, type Entries } from "./bind.ts";
import { createConfigure, createConfigureRunning, loadedHostConfig } from "./configuration.ts";
import { HOLDER, PROGRAM, SHIM, VERSION } from "./paths.ts";

/** The supervisor, the commands that explain its decisions, and the command that ends leftover sessions. */
export const SERVING_COMMANDS: Entries = {
  supervise: async () => {
    const { supervise } = await import("../commands/session/supervise.ts");
    return bind(supervise, () => ({
      async open(directory) {
        const [{ openLog, openSupervisor }, { parsersOfMany }] = await Promise.all([
          import("../supervisor/open.ts"),
          import("../policy/schema/parsers.ts"),
        ]);
        const parsers = parsersOfMany();
        const [configure, configureRunning] = await Promise.all([
          createConfigure(parsers),
          createConfigureRunning(parsers),
        ]);
        const log = openLog();
        return {
          configure: (forced) => configure(forced, directory),
          configureRunning: (forced) => configureRunning(forced, directory),
          sessions: await openSupervisor({
            version: VERSION,
            program: PROGRAM,
            shim: SHIM,
            log: (await loadedHostConfig(directory)).log,
            warn: (message, facts) => log.warn(facts, message),
          }),
        };
      },
    }));
  },
  explain: async () => {
    const { explain } = await import("../commands/config/explain.ts");
    return bind(explain, async () => {
      const [{ newSessionId, ownAccount }, { problemForTeam }] = await Promise.all([
        import("../system/kernel/machine.ts"),
        import("../system/kernel/host-look.ts"),
      ]);
      const account = ownAccount();
      const ports = { account, holder: HOLDER, newSessionId, now: Date.now, configure: await createConfigure() };
      return { ...ports, problemWithProgram: problemForTeam };
    });
  },
  recover: async () => {
    const { recover } = await import("../commands/sessions/recover.ts");
    return bind(recover, () => ({
      async open(directory) {
        const [{ openArchive }, { openJournal }, { mayClose, recoverPorts }, resident] = await Promise.all([
          import("../system/archive/archive.ts"),
          import("../system/journal/journal.ts"),
          import("../system/lost/recover-ports.ts"),
          import("../system/kernel/resident.ts"),
        ]);
        const { log } = await loadedHostConfig(directory);
        const isAsked = process.geteuid?.() === 0 && resident.residentIsThere();
        const serving = isAsked ? await resident.askServing() : undefined;
        const ports = recoverPorts(log.directory, log.journald ? openJournal() : undefined, serving);
        return {
          archive: openArchive(log.directory),
          ports,
          mayClose,
          resident: isAsked ? (serving ?? "silent") : undefined,
        };
      },
    }));
  },
};
