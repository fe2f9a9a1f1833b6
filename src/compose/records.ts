import { resolve } from "node:path";
import { bind, type Entries } from "./bind.ts";
import { closings, outputPorts, ownFiles, printingPorts, sessionsPorts, trustPorts } from "./configuration.ts";
import { CONFIG_DIR, VERSION } from "./places.ts";

/** What reads the records, and the sessions that still write them. */
export const RECORDS: Entries = {
  "sessions list": async () => {
    const { sessionsList } = await import("../commands/sessions-list.ts");
    return bind(sessionsList, printingPorts);
  },
  "sessions show": async () => {
    const { sessionsShow } = await import("../commands/sessions-show.ts");
    return bind(sessionsShow, sessionsPorts);
  },
  "sessions stats": async () => {
    const { sessionsStats } = await import("../commands/sessions-stats.ts");
    return bind(sessionsStats, sessionsPorts);
  },
  "sessions follow": async () => {
    const { sessionsFollow } = await import("../commands/sessions-follow.ts");
    return bind(sessionsFollow, async () => {
      const [{ growthOf }, { sleep }] = await Promise.all([
        import("../system/growth.ts"),
        import("../system/clock.ts"),
      ]);
      return { ...(await printingPorts()), growthOf, sleep };
    });
  },
  "sessions report": async () => {
    const { sessionsReport } = await import("../commands/sessions-report.ts");
    return bind(sessionsReport, async () => {
      const { soundPolicies } = await import("../policy/load-all.ts");
      const files = await ownFiles();
      const policies = (directory = CONFIG_DIR) => soundPolicies(files, `${resolve(directory)}/policies`);
      return { ...(await outputPorts()), version: VERSION, policies };
    });
  },
  "sessions export": async () => {
    const { sessionsExport } = await import("../commands/sessions-export.ts");
    return bind(sessionsExport, outputPorts);
  },
  "sessions verify": async () => {
    const { sessionsVerify } = await import("../commands/sessions-verify.ts");
    return bind(sessionsVerify, trustPorts);
  },
  "sessions seal": async () => {
    const { sessionsSeal } = await import("../commands/sessions-seal.ts");
    return bind(sessionsSeal, trustPorts);
  },
  "sessions acknowledge": async () => {
    const { sessionsAcknowledge } = await import("../commands/sessions-acknowledge.ts");
    return bind(sessionsAcknowledge, async () => {
      const { doer } = await import("../system/host-records.ts");
      return { ...(await trustPorts()), doer };
    });
  },
  "sessions prune": async () => {
    const { sessionsPrune } = await import("../commands/sessions-prune.ts");
    return bind(sessionsPrune, trustPorts);
  },
  "sessions top": async () => {
    const { sessionsTop } = await import("../commands/sessions-top.ts");
    return bind(sessionsTop, async () => {
      const [{ growthOf }, { liveFigures }, { hostFigures }, { clock, sleep }, { bootsHere }, screen] =
        await Promise.all([
          import("../system/growth.ts"),
          import("../system/live-figures.ts"),
          import("../system/host-figures.ts"),
          import("../system/clock.ts"),
          import("../system/liveness.ts"),
          import("../system/screen.ts"),
        ]);
      return {
        ...(await sessionsPorts()),
        ...{ growthOf, liveFigures, hostFigures, sleep },
        isHere: (start) => bootsHere()(start) === "here",
        monotonic: clock.monotonic,
        terminal: screen.stdoutIsTerminal(),
        colour: screen.wantsColour(),
        closings,
        openScreen: screen.openScreen,
      };
    });
  },
  "sessions kill": async () => {
    const { sessionsKill } = await import("../commands/sessions-kill.ts");
    return bind(sessionsKill, async () => {
      const [{ sessionProcessToSignal }, { sleep }, { patienceFor }] = await Promise.all([
        import("../system/session-process.ts"),
        import("../system/clock.ts"),
        import("../session/patience.ts"),
      ]);
      const files = await ownFiles();
      return {
        ...(await sessionsPorts()),
        serving: sessionProcessToSignal,
        patience: (directory = CONFIG_DIR, team) => patienceFor(files, directory, team),
        sleep,
      };
    });
  },
};
