import { leave } from "../system/leave.ts";
import { bind, type Entries } from "./bind.ts";
import { configuring } from "./configuration.ts";
import { FRONT, HOLDER, VERSION } from "./places.ts";

/** What sshd starts, and a front for it. */
export const SESSION: Entries = {
  session: async () => {
    const { session } = await import("../commands/session.ts");
    return bind(session, async () => {
      const { clock } = await import("../system/clock.ts");
      const arrived = { startedAt: clock.now(), arrivedAt: clock.monotonic() };
      const [{ sessionPorts }, { readOwnEnvironment }, machine, { readUserAuth }, { startTicks }] = await Promise.all([
        import("../system/session-ports.ts"),
        import("../system/environment.ts"),
        import("../system/machine.ts"),
        import("../system/user-auth.ts"),
        import("../system/process-group.ts"),
      ]);
      const environment = readOwnEnvironment();
      const account = machine.ownAccount();
      return {
        arrived,
        environment,
        account,
        machine: machine.ownMachine(),
        process: { pid: process.pid, startedTicks: startTicks("self"), version: VERSION },
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
  "front-line": async () => {
    const { frontLine } = await import("../commands/front-line.ts");
    return bind(frontLine, async () => {
      const [{ requestsFor }, { tellClient }, { becomeFront }, { readOwnEnvironment }, { statusOf }] =
        await Promise.all([
          import("../system/requests.ts"),
          import("../system/client.ts"),
          import("../system/machine.ts"),
          import("../system/environment.ts"),
          import("../ending/cause.ts"),
        ]);
      // As a session ends that an administrator ends; the read that waits for the client would keep this process.
      process.once("SIGTERM", () => leave(statusOf({ signal: "SIGTERM" })));
      const requests = requestsFor(tellClient);
      return { requests, becomeFront: (words) => becomeFront(FRONT, words, readOwnEnvironment()) };
    });
  },
};
