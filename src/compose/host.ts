import { join } from "node:path";
import { bind, type Entries } from "./bind.ts";
import {
  applyPorts,
  closingPorts,
  closings,
  findingsOnHost,
  lockingPorts,
  ownFiles,
  renderPorts,
  sessionsPorts,
} from "./configuration.ts";
import { PROGRAM, ROOT, SHIM, VERSION } from "./paths.ts";

/** The commands that inspect the configuration, and those that generate files from it. */
export const HOST_COMMANDS: Entries = {
  check: async () => {
    const { check } = await import("../commands/config/check.ts");
    return bind(check, async () => {
      const { hostLook } = await import("../system/kernel/host-look.ts");
      return { files: await ownFiles(), now: Date.now, host: hostLook, onHost: await findingsOnHost() };
    });
  },
  apply: async () => {
    const { apply } = await import("../commands/host/apply.ts");
    return bind(apply, applyPorts);
  },
  close: async () => {
    const { close } = await import("../commands/host/close.ts");
    return bind(close, closingPorts);
  },
  open: async () => {
    const { open } = await import("../commands/host/open.ts");
    return bind(open, closingPorts);
  },
  lock: async () => {
    const { lock } = await import("../commands/host/lock.ts");
    return bind(lock, lockingPorts);
  },
  unlock: async () => {
    const { unlock } = await import("../commands/host/unlock.ts");
    return bind(unlock, lockingPorts);
  },
  locks: async () => {
    const { locks } = await import("../commands/host/locks.ts");
    return bind(locks, lockingPorts);
  },
  "authorized-keys": async () => {
    const { authorizedKeys } = await import("../commands/config/authorized-keys.ts");
    return bind(authorizedKeys, keyPorts);
  },
  "authorized-principals": async () => {
    const { authorizedPrincipals } = await import("../commands/config/authorized-principals.ts");
    return bind(authorizedPrincipals, keyPorts);
  },
  "render slices": async () => {
    const { renderSlicesCommand } = await import("../commands/render/render-slices.ts");
    return bind(renderSlicesCommand, renderPorts);
  },
  "render units": async () => {
    const { renderUnitsCommand } = await import("../commands/render/render-units.ts");
    return bind(renderUnitsCommand, async () => ({ ...(await renderPorts()), program: PROGRAM, version: VERSION }));
  },
  "render sshd": async () => {
    const { renderSshdCommand } = await import("../commands/render/render-sshd.ts");
    return bind(renderSshdCommand, async () => {
      const { unsafeWay } = await import("../system/kernel/unsafe-way.ts");
      return { ...(await renderPorts()), program: PROGRAM, unsafeWay: () => unsafeWay(PROGRAM) };
    });
  },
  "render policy": async () => {
    const { renderPolicyCommand } = await import("../commands/render/render-policy.ts");
    return bind(renderPolicyCommand, async () => {
      const { examplePolicies } = await import("../system/files/example-policies.ts");
      return { examples: examplePolicies(join(ROOT, "policies")) };
    });
  },
  "render prometheus": async () => {
    const { renderPrometheusCommand } = await import("../commands/render/render-prometheus.ts");
    return bind(renderPrometheusCommand, async () => {
      const { replaceFile } = await import("../system/files/write-rendered.ts");
      return { ...(await sessionsPorts()), closings, replace: replaceFile };
    });
  },
  "render alerts": async () => {
    const { renderAlertsCommand } = await import("../commands/render/render-alerts.ts");
    return bind(renderAlertsCommand, async () => {
      const { replaceFile } = await import("../system/files/write-rendered.ts");
      return { replace: replaceFile };
    });
  },
  demo: async () => {
    const { demo } = await import("../commands/demo/demo.ts");
    return bind(demo, async () =>
      (await import("../system/demo/demo-ports.ts")).demoPorts(PROGRAM, join(ROOT, "policies")),
    );
  },
};

async function keyPorts() {
  const { tellLog } = await import("../system/archive/host-log.ts");
  return { files: await ownFiles(), programPath: PROGRAM, shimPath: SHIM, tellLog };
}
