import { leave } from "../system/leave.ts";
import { bind, type Entries } from "./bind.ts";
import { configuring, hostConfig } from "./configuration.ts";
import { FRONT, HOLDER, PROGRAM, VERSION } from "./places.ts";

/** What serves sessions, and says how it would. */
export const SERVING: Entries = {
  session: async () => {
    const { session } = await import("../commands/session.ts");
    return bind(session, async () => {
      const [{ sessionPorts }, { readOwnEnvironment }, machine, { readUserAuth }] = await Promise.all([
        import("../system/session-ports.ts"),
        import("../system/environment.ts"),
        import("../system/machine.ts"),
        import("../system/user-auth.ts"),
      ]);
      const environment = readOwnEnvironment();
      const account = machine.ownAccount();
      return {
        environment,
        account,
        machine: machine.ownMachine(),
        process: { pid: process.pid, version: VERSION },
        holder: HOLDER,
        terminal: machine.stdinIsTerminal("self"),
        key: readUserAuth(environment, account.uid),
        configure: await configuring(),
        open: sessionPorts,
        becomeFront: ({ team, member }) =>
          machine.becomeFront(FRONT, member === undefined ? [team] : [team, member], environment),
      };
    });
  },
  supervise: async () => {
    const { supervise } = await import("../commands/supervise.ts");
    return bind(supervise, () => ({
      async open(directory) {
        const [{ openVisits }, { openLog }, { parsersOfMany }] = await Promise.all([
          import("../system/supervise/open.ts"),
          import("../system/supervise/log.ts"),
          import("../policy/parsers.ts"),
        ]);
        const configure = await configuring(parsersOfMany());
        const log = openLog();
        return {
          configure: (team, member) => configure(team, member, directory),
          visits: await openVisits({
            version: VERSION,
            program: PROGRAM,
            front: FRONT,
            log: (await hostConfig(directory)).log,
            warn: (message, facts) => log.warn(facts, message),
          }),
        };
      },
    }));
  },
  "front-line": async () => {
    const { frontLine } = await import("../commands/front-line.ts");
    return bind(frontLine, async () => {
      const [{ requests }, { becomeFront }, { readOwnEnvironment }, { statusOf }] = await Promise.all([
        import("../system/requests.ts"),
        import("../system/machine.ts"),
        import("../system/environment.ts"),
        import("../ending/cause.ts"),
      ]);
      // As a session ends that an administrator ends; the read that waits for the client would keep this process.
      process.once("SIGTERM", () => leave(statusOf({ signal: "SIGTERM" })));
      return { requests, becomeFront: (words) => becomeFront(FRONT, words, readOwnEnvironment()) };
    });
  },
  explain: async () => {
    const { explain } = await import("../commands/explain.ts");
    return bind(explain, async () => {
      const { newSessionId, ownAccount } = await import("../system/machine.ts");
      return { account: ownAccount(), holder: HOLDER, newSessionId, configure: await configuring() };
    });
  },
  recover: async () => {
    const { recover } = await import("../commands/recover.ts");
    return bind(recover, () => ({
      async open(directory) {
        const [{ openArchive }, { openJournal }, { mayClose, recoverPorts }] = await Promise.all([
          import("../system/archive.ts"),
          import("../system/journal.ts"),
          import("../system/recover-ports.ts"),
        ]);
        const { log } = await hostConfig(directory);
        const ports = recoverPorts(log.directory, log.journald ? openJournal() : undefined);
        return { archive: openArchive(log.directory), ports, mayClose };
      },
    }));
  },
};
