import { resolve } from "node:path";
import { bind, type Entries } from "./bind.ts";
import {
  closings,
  killingPorts,
  outputPorts,
  ownFiles,
  printingPorts,
  sessionsPorts,
  trustCommandPorts,
} from "./configuration.ts";
import { CONFIG_DIR, VERSION } from "./paths.ts";

/** The commands that read records, and those that act on running sessions. */
export const RECORD_COMMANDS: Entries = {
  "sessions list": async () => {
    const { sessionsList } = await import("../commands/sessions/sessions-list.ts");
    return bind(sessionsList, printingPorts);
  },
  "sessions show": async () => {
    const { sessionsShow } = await import("../commands/sessions/sessions-show.ts");
    return bind(sessionsShow, sessionsPorts);
  },
  "sessions stats": async () => {
    const { sessionsStats } = await import("../commands/sessions/sessions-stats.ts");
    return bind(sessionsStats, sessionsPorts);
  },
  "sessions keys": async () => {
    const { sessionsKeys } = await import("../commands/sessions/sessions-keys.ts");
    return bind(sessionsKeys, async () => ({ ...(await sessionsPorts()), policies: await soundOnes() }));
  },
  "sessions follow": async () => {
    const { sessionsFollow } = await import("../commands/sessions/sessions-follow.ts");
    return bind(sessionsFollow, async () => {
      const [{ growthOf }, { sleep }] = await Promise.all([
        import("../system/archive/growth.ts"),
        import("../system/kernel/clock.ts"),
      ]);
      return { ...(await printingPorts()), growthOf, sleep };
    });
  },
  "sessions report": async () => {
    const { sessionsReport } = await import("../commands/sessions/sessions-report.ts");
    return bind(sessionsReport, async () => {
      return { ...(await outputPorts()), version: VERSION, policies: await soundOnes() };
    });
  },
  "sessions export": async () => {
    const { sessionsExport } = await import("../commands/sessions/sessions-export.ts");
    return bind(sessionsExport, outputPorts);
  },
  "sessions verify": async () => {
    const { sessionsVerify } = await import("../commands/sessions/verify/sessions-verify.ts");
    return bind(sessionsVerify, trustCommandPorts);
  },
  "sessions seal": async () => {
    const { sessionsSeal } = await import("../commands/sessions/verify/sessions-seal.ts");
    return bind(sessionsSeal, trustCommandPorts);
  },
  "sessions acknowledge": async () => {
    const { sessionsAcknowledge } = await import("../commands/sessions/verify/sessions-acknowledge.ts");
    return bind(sessionsAcknowledge, async () => {
      const { doer } = await import("../system/archive/host-records.ts");
      return { ...(await trustCommandPorts()), doer };
    });
  },
  "sessions prune": async () => {
    const { sessionsPrune } = await import("../commands/sessions/sessions-prune.ts");
    return bind(sessionsPrune, trustCommandPorts);
  },
  "sessions top": async () => {
    const { sessionsTop } = await import("../commands/sessions/top/sessions-top.ts");
    return bind(sessionsTop, async () => {
      const [{ growthOf }, { hostFigures, liveFigures }, { clock, sleep }, { bootsHere }, screen] = await Promise.all([
        import("../system/archive/growth.ts"),
        import("../system/cgroup/live-figures.ts"),
        import("../system/kernel/clock.ts"),
        import("../system/lost/liveness.ts"),
        import("../system/terminal/screen.ts"),
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
    const { sessionsKill } = await import("../commands/sessions/kill/sessions-kill.ts");
    return bind(sessionsKill, killingPorts);
  },
};

/** The readable policies of a configuration folder. */
async function soundOnes() {
  const { soundPolicies } = await import("../policy/load-all.ts");
  const files = await ownFiles();
  return (directory = CONFIG_DIR) => soundPolicies(files, `${resolve(directory)}/policies`);
}
