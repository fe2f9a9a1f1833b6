import { exitProcess } from "../system/terminal/output.ts";
import { toPid } from "../units/ids.ts";
import { bind, type Entries } from "./bind.ts";
import { createConfigure } from "./configuration.ts";
import { HOLDER, SHIM, VERSION } from "./paths.ts";

/** The time between two SIGTERM, the supervisor's and systemd's, in milliseconds. */
const SECOND_WITHIN_MS = 1000;
/**
 * The timeout for the supervisor's SIGTERM where systemd's came first, in milliseconds. systemd sends SIGCONT after its
 * own (systemd.kill(5), KillSignal=). The supervisor sends its signal when it has told the client why.
 */
const TELLS_WITHIN_MS = 10_000;

/** The commands that sshd or a shim starts. */
export const SESSION_COMMANDS: Entries = {
  session: async () => {
    const { session } = await import("../commands/session/session.ts");
    return bind(session, async () => {
      const { clock } = await import("../system/kernel/clock.ts");
      const arrived = { startedAt: clock.now(), arrivedAt: clock.monotonic() };
      const [
        { sessionPorts },
        { readOwnEnvironment },
        machine,
        { readUserAuth },
        { startTicks },
        { toldBySshd },
        { shimWords },
      ] = await Promise.all([
        import("../standalone/session-ports.ts"),
        import("../system/kernel/environment.ts"),
        import("../system/kernel/machine.ts"),
        import("../system/session/user-auth.ts"),
        import("../system/kernel/process-group.ts"),
        import("../session/requests/ssh-environment.ts"),
        import("../session/forced-command.ts"),
      ]);
      const environment = readOwnEnvironment();
      const account = machine.ownAccount();
      const terminal = machine.stdinIsTerminal("self");
      return {
        incoming: {
          ...{ arrived, account },
          ...toldBySshd({ environment, terminal, key: readUserAuth(environment, account.uid) }),
          machine: machine.ownMachine(),
          process: { pid: toPid(process.pid), startedTicks: startTicks("self"), version: VERSION },
          holder: HOLDER,
        },
        configure: await createConfigure(),
        openPorts: sessionPorts,
        becomeShim: (forced) => machine.becomeShim(SHIM, shimWords(forced), environment),
      };
    });
  },
  "read-request": async () => {
    const { readRequest } = await import("../commands/session/read-request.ts");
    return bind(readRequest, async () => {
      const [{ requestsFor }, { tellOwnClient }, { becomeShim }, { readOwnEnvironment }, { statusOf }] =
        await Promise.all([
          import("../standalone/requests.ts"),
          import("../standalone/client.ts"),
          import("../system/kernel/machine.ts"),
          import("../system/kernel/environment.ts"),
          import("../ending/cause.ts"),
        ]);
      // This session ends as one that an administrator ends. The pending read from the client would keep this process
      // alive. Where systemd sends the signal, the supervisor hears of it at the same time and tells the client why. Then
      // its own signal comes as well, in any order, and must not end this process in another way. At a shutdown sshd's
      // process gets its signal when this process has ended.
      const exit = () => exitProcess(statusOf({ signal: "SIGTERM" }));
      let waitsAtMost = SECOND_WITHIN_MS;
      let timer: NodeJS.Timeout | undefined;
      const wait = () => {
        clearTimeout(timer);
        timer = setTimeout(exit, waitsAtMost);
      };
      process.on("SIGTERM", () => (timer ? exit() : wait()));
      process.on("SIGCONT", () => {
        waitsAtMost = TELLS_WITHIN_MS;
        if (timer) wait();
      });
      const requests = requestsFor(tellOwnClient);
      return { requests, becomeShim: (words) => becomeShim(SHIM, words, readOwnEnvironment()) };
    });
  },
};
