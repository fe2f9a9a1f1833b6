import { execFileSync, spawn } from "node:child_process";
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { SessionHandlers, ShimSession } from "../../src/session/supervise.ts";
import { receive } from "../../src/supervisor/dispatch.ts";
import { CONTROL, type Fifo } from "../../src/supervisor/fifos.ts";
import { toFd } from "../../src/units/ids.ts";
import type { Milliseconds } from "../../src/units/quantities.ts";
import { fakeManager, fakeSupervisor } from "../support/fake-supervisor.ts";
import { pidOf } from "../support/processes.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { waitFor } from "../support/wait-for.ts";

/** No other test has a shim of this team, so the supervisor here continues none of theirs. */
const TEAM = "dispatched";
const OTHER = "other";
const uid = 0;

/** A FIFO as systemd holds it: open for reading and writing, so that it never ends. */
function fifo(path: string, name: string): Fifo & { write(line: string): void } {
  execFileSync("mkfifo", [path]);
  const descriptor = toFd(openSync(path, "r+"));
  const writer = openSync(path, "w");
  afterAll(() => closeSync(writer));
  return { name, descriptor, uid, gid: uid, write: (line) => void writeSync(writer, `\n${line}\n`) };
}

/** The real bin/nixgate-shim, whose folder in /run is this one. */
function shimIn(run: string): string {
  const path = join(temporaryFolder("shim"), "nixgate-shim");
  writeFileSync(path, readFileSync("bin/nixgate-shim", "utf8").replaceAll("/run/nixgate", run));
  chmodSync(path, 0o755);
  return path;
}

describe.skipIf(userInfo().username !== "root")("the supervisor's FIFOs, with the real shim", () => {
  let run = "";
  let program = "";
  let fifos: Record<"team" | "other" | "control", ReturnType<typeof fifo>>;
  let shutdown = () => {};
  let stop: () => void;
  let received: Promise<void>;
  const { supervisor, warned } = fakeSupervisor();
  /** What is done with each session; its shim gets its end from here. */
  let serve: SessionHandlers["serve"] = async ({ end }) => end(0);

  beforeAll(async () => {
    run = temporaryFolder("run");
    program = shimIn(run);
    for (const name of [TEAM, OTHER]) mkdirSync(join(run, name));
    fifos = {
      team: fifo(join(run, TEAM, "requests"), TEAM),
      other: fifo(join(run, OTHER, "requests"), OTHER),
      control: fifo(join(run, "_control"), CONTROL),
    };
    const { promise, resolve } = Promise.withResolvers<void>();
    const handlers: SessionHandlers = { serve: (session) => serve(session), resume: async () => undefined };
    received = receive(Object.values(fifos), handlers, {
      ...supervisor,
      runDirectory: run,
      log: { directory: join(run, "log"), journald: false },
      manager: fakeManager({
        onShutdown(callback) {
          shutdown = callback;
        },
      }),
      ready() {
        writeFileSync(join(run, "_ready"), "");
        resolve();
      },
    });
    await promise;
    stop = () => void process.emit("SIGTERM");
  });
  afterAll(async () => {
    stop();
    await received;
  });

  /** A client of the shim. */
  function client() {
    const child = spawn("/bin/sh", [program, TEAM, "ci"], { stdio: ["pipe", "pipe", "pipe"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    let stderr = "";
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    const status = new Promise<number | null>((resolve) => child.once("close", resolve));
    return { pid: pidOf(child), status, stderr: () => stderr };
  }

  /** A client whose session is begun, and stays until the test ends it. */
  async function begun() {
    const held = Promise.withResolvers<ShimSession>();
    const over = Promise.withResolvers<void>();
    serve = async (session) => {
      held.resolve(session);
      await over.promise;
    };
    const { pid, status, stderr } = client();
    const session = await held.promise;
    const end = async (code: number) => {
      await session.end(code);
      over.resolve();
    };
    return { pid, status, stderr, session, end };
  }

  test("a new shim begins a session of its FIFO's team, and exits with the session's status", async () => {
    const { pid, status, session, end } = await begun();
    expect(session.incoming).toMatchObject({
      forced: { team: TEAM, member: "ci" },
      account: { uid },
      process: { pid },
    });
    expect(session.standing.notBySshd).toBeDefined();
    expect(warned.at(-1)).toContain(`a shim that sshd did not start was refused {"team":"${TEAM}","pid":${pid}`);
    expect(supervisor.guests.get(pid)?.fifo.name).toBe(TEAM);
    await end(77);
    expect(await status).toBe(77);
    await waitFor("its end", () => !supervisor.guests.has(pid));
  });

  test("a session that cannot be served ends with 70, and the supervisor serves the next", async () => {
    serve = async () => {
      throw new Error("a fault");
    };
    expect(await client().status).toBe(70);
    expect(warned.some((line) => line.startsWith("a session could not be served to its end"))).toBe(true);
    serve = async ({ end }) => end(0);
    expect(await client().status).toBe(0);
  });

  test("lines of unknown forms, of other FIFOs and about other processes have no effect but a warning", async () => {
    const { pid, status, end } = await begun();
    let isServed = 0;
    serve = async ({ end: at }) => {
      isServed += 1;
      await at(1);
    };
    fifos.team.write("hello");
    fifos.team.write(`${process.pid} 1 `);
    fifos.other.write(`${pid} 2 9`);
    fifos.team.write(`${pid} 7 9`); // not the next number
    fifos.team.write("bye");
    const said = () => warned.filter((line) => line.includes("an unknown form")).length;
    await waitFor("the last line", () => said() === 2);
    expect(warned.filter((line) => line.includes(`"pid":${process.pid}`)).at(-1)).toContain("it is no shim");
    expect(warned.filter((line) => line.includes(`"team":"${OTHER}"`)).at(-1)).toContain("it is no shim of this team");
    expect({ isServed, isGuest: supervisor.guests.has(pid) }).toEqual({ isServed: 0, isGuest: true });
    await end(3);
    expect(await status).toBe(3);
  });

  test("the control FIFO and a shutdown end sessions, and of another team none", async () => {
    const { pid, status, session, end } = await begun();
    const ended: string[] = [];
    session.openPorts(1000 as Milliseconds).client.watch((by) => void ended.push(by));
    fifos.control.write(`kill ${pid} ${OTHER}`);
    fifos.control.write(`kill ${pid + 1} ${TEAM}`);
    fifos.team.write(`kill ${pid} ${TEAM}`);
    fifos.control.write(`kill ${pid} ${TEAM}`);
    await waitFor("the end", () => ended.length > 0);
    expect(ended).toEqual(["killed-by-admin"]);
    shutdown();
    expect(ended).toEqual(["killed-by-admin", "killed-by-admin"]);
    await end(143);
    expect(await status).toBe(143);
  });
});
