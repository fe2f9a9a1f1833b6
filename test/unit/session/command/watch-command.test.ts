import { describe, expect, test } from "vitest";
import type { Exit } from "../../../../src/ending/ending.ts";
import { type WatchedEnd, watchCommand } from "../../../../src/session/command/watch-command.ts";
import type { Interruption } from "../../../../src/session/ports.ts";
import { toPid } from "../../../../src/units/ids.ts";
import type { Milliseconds } from "../../../../src/units/quantities.ts";
import { fakeClient, fakeClock, fakeScope } from "../../../support/fake-ports.ts";

const CONFIGURATION = { policy: { session: { clientGoneGrace: 2000 as Milliseconds } } };
const TERMS = {
  buildsBoundedBy: "host",
  argv: ["/bin/sleep"],
  properties: [],
  expectations: [],
} as const;
const STOP_TIMEOUT = 10_000;
const LATENCY = 500 as Milliseconds;

/**
 * A command that runs from 0 on. Its story has what is done to it and when.
 * @param before what the client port has seen before the command begins
 * @param hears whether the client can be told at once why; undefined: nobody tries
 */
function watch({
  runtimeMax = undefined as number | undefined,
  stopTimeout = STOP_TIMEOUT,
  openedAt = 0,
  before = [] as Interruption[],
  hears = undefined as boolean | undefined,
} = {}) {
  const { clock, pending, until } = fakeClock(0);
  const story: string[] = [];
  const happen = (what: string) => void story.push(`${clock.now()} ${what}`);
  const callbacks = new Set<(event: Interruption) => void>();
  const world = { others: [] as number[], gone: false };
  let exit: (how: Exit) => void = () => {};
  let watched: WatchedEnd | undefined;
  const scope = fakeScope({
    openedAt,
    exited: new Promise<Exit>((resolve) => {
      exit = resolve;
    }),
    begin: () => happen("begin"),
    others: () => world.others.map(toPid),
    terminate: () => happen("terminate"),
    kill: () => happen("kill"),
    survivors: () => world.others.map((pid) => ({ pid: toPid(pid), uid: 0, name: "sleep" })),
  });
  const client = fakeClient([], {
    latency: LATENCY,
    isGone: () => world.gone,
    watch(callback: (event: Interruption) => void) {
      callbacks.add(callback);
      for (const event of before) callback(event);
      return () => callbacks.delete(callback);
    },
  });
  const terms = {
    ...TERMS,
    runtimeMax: runtimeMax as Milliseconds | undefined,
    stopTimeout: stopTimeout as Milliseconds,
  };
  const announce = (why: string) => {
    happen(`tell ${why}`);
    return hears === true;
  };
  const told = hears === undefined ? undefined : announce;
  watchCommand({ configuration: CONFIGURATION, ports: { clock, client } }, { scope, terms }, told).then((result) => {
    watched = result;
  });
  return {
    story,
    world,
    until,
    exit,
    interrupt: (event: Interruption) => {
      for (const callback of callbacks) callback(event);
    },
    watched: () => watched,
    waitsFor: () => pending() + callbacks.size,
  };
}

describe("a command that ends by itself", () => {
  test("is left alone, and nothing is waited for any more", async () => {
    const { exit, until, story, watched, waitsFor } = watch({ runtimeMax: 60_000 });
    await until(5000);
    expect(watched()).toBeUndefined();
    exit({ code: 3 });
    await until(5000);
    expect(watched()).toEqual({
      exit: { code: 3 },
      stopped: undefined,
      forced: undefined,
      leftovers: 0,
      survivors: [],
    });
    expect(story).toEqual(["0 begin"]);
    expect(waitsFor()).toBe(0);
  });

  test("is not over before what it left is, which is asked to end", async () => {
    const { exit, until, world, story, watched } = watch();
    world.others = [7, 8];
    exit({ code: 0 });
    await until(1000);
    expect(story).toEqual(["0 begin", "0 terminate"]);
    world.others = [8, 9];
    await until(2000);
    expect(watched()).toBeUndefined();
    world.others = [];
    await until(2010);
    expect(watched()).toEqual({
      exit: { code: 0 },
      stopped: undefined,
      forced: undefined,
      leftovers: 3,
      survivors: [],
    });
    expect(story).toHaveLength(2);
  });

  test("what it left is killed after stop_timeout, again and again until nothing is left", async () => {
    const { exit, until, world, story, watched } = watch({ stopTimeout: 9995 });
    world.others = [7];
    exit({ code: 0 });
    await until(10_010);
    expect(story).toEqual(["0 begin", "0 terminate", "9995 kill", "10000 kill", "10010 kill"]);
    world.others = [];
    await until(10_020);
    expect(watched()).toEqual({
      exit: { code: 0 },
      stopped: undefined,
      forced: undefined,
      leftovers: 1,
      survivors: [],
    });
  });
});

describe("the run time", () => {
  test("is over: it is asked to end, and after stop_timeout it is killed", async () => {
    const { exit, until, story, watched } = watch({ runtimeMax: 4000 });
    await until(20_000);
    expect(story).toEqual(["0 begin", "4000 terminate", "14000 kill"]);
    expect(watched()).toBeUndefined();
    exit({ code: 3 });
    await until(60_000);
    const ended = { forced: "SIGKILL", leftovers: 0, survivors: [] };
    expect(watched()).toEqual({ exit: { code: 3 }, stopped: "timeout", ...ended });
  });

  test.each([
    [-3000, "1000 terminate"],
    [-5000, "0 terminate"],
  ])("counts from the opening of the scope, here %i ms", async (openedAt, stop) => {
    const { until, story } = watch({ runtimeMax: 4000, openedAt });
    await until(5000);
    expect(story).toEqual(["0 begin", stop]);
  });

  test("has no end where the plan has none", async () => {
    const { until, story } = watch();
    await until(1_000_000_000);
    expect(story).toEqual(["0 begin"]);
  });

  test.each<[number, Exit, string | undefined]>([
    [0, { signal: "SIGTERM" }, "timeout"],
    [0, { code: 0 }, undefined],
    [1, { signal: "SIGTERM" }, undefined],
  ])("with %i ms left the end %j is a stop of systemd's: %s", async (left, how, stopped) => {
    const { exit, until, story, watched } = watch({ runtimeMax: 4000, openedAt: left - 4000 });
    exit(how);
    await until(0);
    expect(story).toEqual(["0 begin"]);
    expect(watched()).toMatchObject({ exit: how, stopped });
  });
});

describe("a lost client", () => {
  test("leaves the command its grace, less what it took to see that it is lost", async () => {
    const { exit, interrupt, until, story, watched } = watch();
    await until(1000);
    interrupt("client-gone");
    interrupt("client-gone");
    await until(20_000);
    expect(story).toEqual(["0 begin", "2500 terminate", "12500 kill"]);
    exit({ signal: "SIGKILL" });
    await until(60_000);
    expect(watched()?.stopped).toBe("client-gone");
  });

  test.each<[string, Exit, boolean, string | undefined]>([
    ["that fails because nobody listens", { code: 1 }, true, "client-gone"],
    ["that a signal ends", { signal: "SIGHUP" }, true, "client-gone"],
    ["that succeeds all the same", { code: 0 }, true, undefined],
    ["that fails while its client is there", { code: 1 }, false, undefined],
  ])("a command %s", async (_, how, gone, stopped) => {
    const { exit, until, world, watched } = watch();
    world.gone = gone;
    exit(how);
    await until(0);
    expect(watched()).toMatchObject({ exit: how, stopped });
  });

  test("is waited for where SIGPIPE was quicker than it", async () => {
    const { exit, until, world, watched } = watch();
    exit({ signal: "SIGPIPE" });
    await until(100);
    expect(watched()).toBeUndefined();
    world.gone = true;
    await until(110);
    expect(watched()?.stopped).toBe("client-gone");
  });

  test("is not waited for longer than the port may be late", async () => {
    const { exit, until, watched } = watch();
    exit({ signal: "SIGPIPE" });
    await until(LATENCY);
    expect(watched()).toEqual({
      exit: { signal: "SIGPIPE" },
      stopped: undefined,
      forced: undefined,
      leftovers: 0,
      survivors: [],
    });
  });
});

describe("the administrator", () => {
  test("ends the command at once", async () => {
    const { exit, interrupt, until, story, watched } = watch();
    await until(1000);
    interrupt("killed-by-admin");
    exit({ code: 0 });
    await until(1000);
    expect(story).toEqual(["0 begin", "1000 terminate"]);
    expect(watched()).toEqual({
      exit: { code: 0 },
      stopped: "killed-by-admin",
      forced: "SIGTERM",
      leftovers: 0,
      survivors: [],
    });
  });

  test("ends what the command leaves in the time that it has from then on", async () => {
    const { exit, interrupt, until, story, world, watched } = watch();
    interrupt("killed-by-admin");
    await until(9000);
    world.others = [7];
    exit({ code: 0 });
    await until(18_999);
    expect(story).toEqual(["0 begin", "0 terminate", "9000 terminate"]);
    await until(19_000);
    expect(story.at(-1)).toBe("19000 kill");
    world.others = [];
    await until(20_000);
    expect(watched()).toEqual({
      exit: { code: 0 },
      stopped: "killed-by-admin",
      forced: "SIGTERM",
      leftovers: 1,
      survivors: [],
    });
  });

  test("does not wait for the grace of a lost client, and is the cause then", async () => {
    const { exit, interrupt, until, story, watched } = watch();
    interrupt("client-gone");
    interrupt("killed-by-admin");
    await until(5000);
    expect(story).toEqual(["0 begin", "0 terminate"]);
    exit({ signal: "SIGTERM" });
    await until(5000);
    expect(watched()?.stopped).toBe("killed-by-admin");
  });

  test("had ended the session before the command began", async () => {
    const { until, story } = watch({ before: ["killed-by-admin"] });
    await until(STOP_TIMEOUT);
    expect(story).toEqual(["0 terminate", "0 begin", `${STOP_TIMEOUT} kill`]);
  });

  test("changes nothing about a command that ended before", async () => {
    const { exit, interrupt, until, world, watched } = watch();
    world.others = [7];
    exit({ code: 0 });
    await until(10);
    interrupt("killed-by-admin");
    world.others = [];
    await until(20);
    expect(watched()).toMatchObject({ exit: { code: 0 }, stopped: undefined });
  });
});

describe("a client that can be told at once", () => {
  test.each<[string, Parameters<typeof watch>[0], Interruption | undefined, string[]]>([
    ["of the run time", { runtimeMax: 4000 }, undefined, ["4000 tell timeout", "4200 terminate"]],
    ["of the administrator", {}, "killed-by-admin", ["0 tell killed-by-admin", "200 terminate"]],
    ["that it is gone, and is not waited for", {}, "client-gone", ["1500 tell client-gone", "1500 terminate"]],
  ])("hears %s before the first signal", async (_, more, event, said) => {
    const { interrupt, until, story } = watch({ ...more, hears: true });
    if (event) interrupt(event);
    await until(5000);
    expect(story.filter((line) => !line.endsWith("begin"))).toEqual(said);
  });

  test("is not waited for where it cannot read", async () => {
    const { until, story } = watch({ runtimeMax: 4000, hears: false });
    await until(5000);
    expect(story).toEqual(["0 begin", "4000 tell timeout", "4000 terminate"]);
  });

  test("is told once, whatever comes while it reads", async () => {
    const { exit, interrupt, until, story, watched } = watch({ runtimeMax: 4000, hears: true });
    await until(4100);
    interrupt("killed-by-admin");
    exit({ code: 1 });
    await until(5000);
    expect(story).toEqual(["0 begin", "4000 tell timeout"]);
    expect(watched()).toMatchObject({ stopped: "timeout", forced: "SIGTERM" });
  });
});

describe("what cannot be ended", () => {
  test("is waited for ten seconds after SIGKILL, then named and not counted as ended", async () => {
    const { exit, until, world, watched } = watch({ stopTimeout: 1000 });
    world.others = [7, 8];
    exit({ code: 0 });
    await until(5000);
    world.others = [8];
    await until(10_999);
    expect(watched()).toBeUndefined();
    await until(11_010);
    expect(watched()).toMatchObject({
      exit: { code: 0 },
      leftovers: 1,
      survivors: [{ pid: 8, uid: 0, name: "sleep" }],
    });
  });

  test("may be the command itself, which then has no status", async () => {
    const { until, world, watched, waitsFor } = watch({ stopTimeout: 1000, runtimeMax: 1000 });
    world.others = [7];
    await until(12_000);
    const survivors = [{ pid: 7, uid: 0, name: "sleep" }];
    expect(watched()).toEqual({ exit: undefined, stopped: "timeout", forced: "SIGKILL", leftovers: 0, survivors });
    expect(waitsFor()).toBe(0);
  });
});
