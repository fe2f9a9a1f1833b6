import { describe, expect, test } from "vitest";
import type { HostState } from "../../../src/decision/admit.ts";
import type { HostConfig } from "../../../src/policy/policy.ts";
import { SESSION } from "../../../src/policy/schema/defaults.ts";
import { AdmissionUnavailable } from "../../../src/session/admission-unavailable.ts";
import { admitSession } from "../../../src/session/admit-session.ts";
import type { Admission } from "../../../src/session/ports.ts";
import type { SessionId, TeamName } from "../../../src/units/ids.ts";
import type { Bytes, Percent } from "../../../src/units/quantities.ts";
import { readyConfiguration } from "../../support/fake-ports.ts";

const OWN = "own" as SessionId;
const QUIET: HostState = { availableMemory: (2 ** 40) as Bytes, loadPerCpu: 0 };

/** A host with room for two sessions, of which a team may have both. */
const configuration = (directory = "/etc/nixgate", team = "alpha") => ({
  ...readyConfiguration({
    host: {
      admission: {
        ...{ maxSessions: 2, minAvailableMemory: 1 as Bytes, maxLoadPerCpu: 1, minFreeLog: 1 as Bytes },
        ...{ maxPressure: {}, minFreeStore: 0 as Bytes, minFreeStoreInodes: 0 },
      },
    },
    policy: { team: team as TeamName, session: { ...SESSION, maxConcurrent: 2, maxStartsPerMinute: 2 } },
  }),
  directory,
});

/** A host with these slots, starts and state. `story` has its calls, in order. */
function host({ full = [] as string[], starts = [OWN as string], state = QUIET, logRoom = true } = {}) {
  const story: string[] = [];
  const admission: Admission = {
    async takeSlot(name) {
      const kind = name.split(/[-@]/)[0] as string;
      if (full.includes(kind)) return undefined;
      story.push(`take ${kind}`);
      return { giveBack: () => void story.push(`give back ${kind}`) };
    },
    countStart: () => {
      story.push("start");
      return starts;
    },
    hostState: () => state,
    pressure: (resource) => {
      story.push(`read ${resource}`);
      return 50;
    },
    storeRoom: () => {
      story.push("read store");
      return { bytes: { free: 9, all: 100 }, inodes: { free: 9, all: 100 } };
    },
    logRoom: () => logRoom,
  };
  return { story, admission };
}

const BUSY: HostState = { ...QUIET, loadPerCpu: 2 };

describe("the order is team, starts, host, and a refused session holds no slot", () => {
  test.each([
    [{}, undefined, ["take team", "start", "take host"]],
    [{ full: ["team", "host"], starts: [], state: BUSY }, "team-busy", []],
    [{ full: ["host"], starts: ["a", "b", OWN], state: BUSY }, "rate", ["take team", "start", "give back team"]],
    [{ full: ["host"], state: BUSY }, "host-busy", ["take team", "start", "give back team"]],
    [{ full: ["host"] }, "host-busy", ["take team", "start", "give back team"]],
    [{ logRoom: false, full: ["host"] }, "log-full", []],
  ])("%j: %s", async (facts, reason, expected) => {
    const { story, admission } = host(facts);
    const admittance = await admitSession(OWN, configuration(), admission);
    expect(admittance).toMatchObject(reason ? { ok: false, refusal: { reason, status: 75 } } : { ok: true });
    expect(story).toEqual(expected);
  });

  test("a session that ends gives both slots back", async () => {
    const { story, admission } = host();
    const admittance = await admitSession(OWN, configuration(), admission);
    if (admittance.ok) admittance.giveBack();
    expect(story.slice(-2)).toEqual(["give back team", "give back host"]);
  });
});

describe("a rule about pressure or the store", () => {
  const ruled = (bounds: Partial<HostConfig["admission"]>) => {
    const known = configuration();
    return { ...known, host: { ...known.host, admission: { ...known.host.admission, ...bounds } } };
  };
  const [LOW, HIGH] = [40 as Percent, 60 as Percent];
  test.each([
    [{}, undefined, []],
    [{ maxPressure: { io: HIGH } }, undefined, ["read io"]],
    [{ maxPressure: { cpu: HIGH, memory: LOW, io: LOW } }, "memory-pressure", ["read cpu", "read memory"]],
    [{ minFreeStore: "9%" as const, minFreeStoreInodes: 9 }, undefined, ["read store"]],
    [{ minFreeStore: 10 as Bytes }, "store-full", ["read store"]],
    [{ minFreeStoreInodes: "10%" as const }, "store-full", ["read store"]],
  ])("%j: refused as %s after it %j, and gives the slot back", async (bounds, reason, expected) => {
    const { story, admission } = host();
    const admittance = await admitSession(OWN, ruled(bounds), admission);
    expect(admittance).toMatchObject(reason ? { ok: false, refusal: { reason, status: 75 } } : { ok: true });
    expect(story.filter((step) => step.startsWith("read"))).toEqual(expected);
    expect(story.at(-1)).toBe(reason ? "give back team" : "take host");
  });
});

test("where sessions cannot be counted none is admitted, with 69", async () => {
  const { story, admission } = host();
  const countStart = () => {
    throw new AdmissionUnavailable("starts cannot be counted: a reason", { hint: "" });
  };
  expect(await admitSession(OWN, configuration(), { ...admission, countStart })).toEqual({
    ok: false,
    refusal: { reason: "host-busy", message: "starts cannot be counted: a reason", status: 69 },
  });
  expect(story).toEqual(["take team", "give back team"]);
});

test("teams, the host, and another configuration are counted under names of their own", async () => {
  const names: string[] = [];
  const { admission } = host();
  const takeSlot: Admission["takeSlot"] = (name, most) => {
    names.push(name);
    return admission.takeSlot(name, most);
  };
  for (const known of [configuration(), configuration("/etc/nixgate", "host"), configuration("/srv/trial")])
    await admitSession(OWN, known, { ...admission, takeSlot });
  expect(names.every((name) => /^[a-z][a-z0-9-]*@[0-9a-f]{12}$/.test(name))).toBe(true);
  const [alpha, etc, host2, etcAgain, trial, trialHost] = names;
  expect(etcAgain).toBe(etc);
  expect(new Set([alpha, etc, host2, trial, trialHost]).size).toBe(5);
});
