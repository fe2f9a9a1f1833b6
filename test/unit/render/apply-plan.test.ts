import { describe, expect, test } from "vitest";
import { type ApplyStep, type Observed, planApply, type UnitState } from "../../../src/render/apply-plan.ts";
import { headed, madeBy } from "../../../src/render/made-by.ts";

const DIRECTORY = "/etc/nixgate";
const UNITS = "/etc/systemd/system";
const made = (path: string, text: string, directory = DIRECTORY) => headed({ path, text }, directory);
const service = made(`${UNITS}/nixgate.service`, "[Service]\nEnvironment=NIXGATE_RENDERED=0.1.0-a\n");
const control = made(`${UNITS}/nixgate.socket`, "[Socket]\n");
const alpha = made(`${UNITS}/nixgate-alpha.socket`, "[Socket]\nSocketGroup=1001\nSocketMode=0620\n");
const slice = made(`${UNITS}/nixgate-a\\x2db.slice`, "[Slice]\n");
const noManager = made(`${UNITS}/user@1001.service.d/50-nixgate.conf`, "[Service]\nDelegate=no\n");
const sysctl = made("/etc/sysctl.d/50-nixgate.conf", "kernel.yama.ptrace_scope = 1\n");
const bus = made("/etc/dbus-1/system.d/nixgate.conf", "<busconfig/>\n");
const WANTED = [service, control, alpha, noManager, sysctl, bus];

const up: UnitState = { active: true, sub: "running", enabled: true, needsReload: false };
const down: UnitState = { active: false, sub: "dead", enabled: false, needsReload: false };
const asWanted: Observed = {
  files: new Map(WANTED.map(({ path, text }) => [path, text])),
  unit: (name) => (name.startsWith("user@") ? { ...up, sub: "exited" } : up),
  rendered: "0.1.0-a",
  busyTeams: new Set(),
  between: 0,
  busyAccounts: new Set(),
  fifo: () => ({ uid: 0, gid: 1001, mode: 0o620 }),
  hasAccount: () => true,
};
const words = (step: ApplyStep) => (step.kind === "systemctl" ? step.words.join(" ") : `${step.kind} ${step.path}`);
const plan = (host: Partial<Observed> = {}, wanted = WANTED) => {
  const { steps, waits, foreign } = planApply(wanted, DIRECTORY, { ...asWanted, ...host });
  return { steps: steps.map(words), waits, foreign };
};
const files = (change: (known: Map<string, string>) => unknown) => {
  const known = new Map(asWanted.files);
  change(known);
  return known;
};
const NOTHING = { steps: [], waits: [], foreign: [] };

describe("a plan", () => {
  test("has no steps where the host is as it is asked for", () => expect(plan()).toEqual(NOTHING));

  test("on a new host writes all, has all of it read, enables and starts one service", () => {
    expect(plan({ files: new Map(), unit: () => down, rendered: undefined })).toEqual({
      ...NOTHING,
      steps: [
        ...WANTED.map(({ path }) => `write ${path}`),
        "daemon-reload",
        "restart systemd-sysctl.service",
        "reload dbus.service",
        "enable nixgate.service",
        "start nixgate.service",
      ],
    });
  });

  test("for a new team restarts the service, by which its socket starts", () => {
    const host = {
      files: files((known) => known.delete(alpha.path)),
      unit: (name: string) => (name.includes("alpha") ? down : up),
    };
    const { steps } = plan({
      ...host,
      unit: (name) => (name.startsWith("user@") ? asWanted.unit(name) : host.unit(name)),
    });
    expect(steps).toEqual([`write ${alpha.path}`, "daemon-reload", "restart nixgate.service"]);
  });

  test.each([
    ["its account's", { uid: 1001, gid: 1001, mode: 0o200 }],
    ["of another group", { uid: 0, gid: 1002, mode: 0o620 }],
    ["of another mode", { uid: 0, gid: 1001, mode: 0o666 }],
  ])("makes a FIFO anew that is %s", (_, fifo) => {
    const made = ["stop nixgate-alpha.socket", "restart nixgate.service"];
    expect(plan({ fifo: () => fifo }).steps).toEqual(made);
    expect(plan({ fifo: () => fifo, between: 1 })).toMatchObject({ steps: [], waits: [expect.any(String)] });
  });

  test("for a team that is gone stops its socket, removes what it had, and lets the account have a systemd again", () => {
    const wanted = [service, control, sysctl, bus];
    const gone = [
      `disable --now nixgate-alpha.socket`,
      `remove ${alpha.path}`,
      `remove ${noManager.path}`,
      "daemon-reload",
      "restart user@1001.service",
    ];
    expect(plan({}, wanted).steps).toEqual(gone);
    expect(plan({ hasAccount: () => false }, wanted).steps).toEqual([...gone.slice(0, -1), "stop user@1001.service"]);
  });

  test("puts off what would cut a running session", () => {
    const busy = plan({ busyTeams: new Set(["alpha"]) }, [service, control, noManager, sysctl, bus]);
    expect(busy).toEqual({ ...NOTHING, waits: ["what is left over of alpha stays: its sessions run"] });
    const left = { files: files((known) => known.set(slice.path, slice.text)), busyTeams: new Set(["a-b"]) };
    expect(plan(left).waits).toEqual(["what is left over of a-b stays: its sessions run"]);
    expect(plan({ rendered: "0.0.9-a", between: 2 })).toMatchObject({
      steps: [],
      waits: [expect.stringContaining("2 sessions between two commands would end")],
    });
    expect(plan({ unit: () => up, busyAccounts: new Set([1001]) })).toMatchObject({
      steps: [],
      waits: [expect.stringContaining("uid 1001 stays")],
    });
    expect(plan({ busyTeams: new Set(["alpha"]) }, []).steps).toEqual([]);
  });

  test("goes on where an earlier run was interrupted: before the reload, before the restart", () => {
    expect(plan({ unit: (name) => ({ ...asWanted.unit(name), needsReload: true }) }).steps).toEqual(["daemon-reload"]);
    expect(plan({ rendered: "0.0.9-b" }).steps).toEqual(["restart nixgate.service"]);
    expect(plan({ rendered: undefined }).steps).toEqual(["restart nixgate.service"]);
    expect(plan({ unit: () => up }).steps).toEqual(["restart user@1001.service"]);
  });

  test("removes all of it where another manager serves", () => {
    expect(plan({}, []).steps).toEqual([
      "disable --now nixgate.service",
      "disable --now nixgate.socket",
      "disable --now nixgate-alpha.socket",
      ...WANTED.map(({ path }) => `remove ${path}`),
      "daemon-reload",
      "restart systemd-sysctl.service",
      "reload dbus.service",
      "restart user@1001.service",
    ]);
  });

  test("leaves alone what is another configuration's or nobody's, and does nothing where that is in the way", () => {
    const other = made(`${UNITS}/nixgate-beta.socket`, "", "/srv/other");
    expect(plan({ files: files((known) => known.set(other.path, other.text)) })).toEqual(NOTHING);
    for (const text of ["# mine\n", made(alpha.path, alpha.text, "/srv/other").text]) {
      const { steps, foreign } = plan({ files: files((known) => known.set(alpha.path, text)), rendered: "old" });
      expect([steps, foreign]).toEqual([[], [alpha.path]]);
    }
  });

  test.each([
    [undefined, "is missing"],
    [made(alpha.path, "older").text, "is out of date"],
    [`${made(alpha.path, "older").text}by hand\n`, "was changed by hand"],
  ])("says why a file is written", (text, why) => {
    const known = files((all) => (text === undefined ? all.delete(alpha.path) : all.set(alpha.path, text)));
    expect(planApply(WANTED, DIRECTORY, { ...asWanted, files: known }).steps[0]).toMatchObject({ why });
  });
});

test("the first line of a file says of which configuration it is, also where the folder's name is a strange one", () => {
  expect(madeBy(made("/x", "text\n", "/etc/nix gate\n[Unit]").text)).toEqual({
    configDirectory: "/etc/nix_gate\\u{a}[Unit]",
    isUntouched: true,
  });
  expect(madeBy(`\n${alpha.text}`)).toBeUndefined();
  expect(made("/x.conf", "<busconfig/>\n", "/etc/a--b").text).toMatch(
    /^<!-- Made by nixgate from \/etc\/a_b, .* -->\n</,
  );
});
