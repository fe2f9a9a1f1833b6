import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { isServeAnswer, isWorkerAnswer, serveHello, workerHello } from "../support/nix-protocol.ts";
import { answerOf, converse, session, startSession } from "../support/run-session.ts";
import { waitFor } from "../support/wait-for.ts";
import { NIXGATE, PROGRAMS, workplace } from "../support/workplace.ts";

const STARTED = Buffer.from("started\n");
/** So many sessions at a time: fewer than a team may have. */
const TOGETHER = 6;

describe("the real Nix answers through nixgate", () => {
  test.each([
    ["nix-store --serve --write", serveHello, isServeAnswer],
    ["nix-daemon --stdio", workerHello, isWorkerAnswer],
  ])("%s, as a single request", async (request, hello, isAnswer) => {
    const place = workplace();
    place.serveNix();
    const { stdout, stderr, status } = await converse(place, { request, input: hello }, isAnswer);
    expect({ status, stderr, answered: isAnswer(stdout) }).toEqual({ status: 0, stderr: "", answered: true });
  });

  test.each([
    ["nix-store --serve --write", serveHello, isServeAnswer],
    ["nix-daemon --stdio", workerHello, isWorkerAnswer],
  ])("exec %s in the line loop, request and protocol in one write", async (request, hello, isAnswer) => {
    const place = workplace();
    place.serveNix();
    const input = Buffer.concat([Buffer.from(`echo started\nexec ${request}\n`), hello]);
    const { stdout, status } = await converse(place, { input }, (seen) => isAnswer(seen.subarray(8)));
    expect(stdout.subarray(0, 8)).toEqual(STARTED);
    expect({ status, answered: isAnswer(stdout.subarray(8)) }).toEqual({ status: 0, answered: true });
    expect(place.records()[0]).toMatchObject({ mode: "loop" });
  });

  test("Lix 2.93.0 waits for its answer before it continues", async () => {
    const place = workplace();
    place.serveNix();
    const child = startSession(place, { request: "bash" });
    let seen = Buffer.alloc(0);
    child.stdout?.on("data", (chunk: Buffer) => {
      seen = Buffer.concat([seen, chunk]);
    });
    child.stdin?.write("echo started\n");
    await waitFor("started", () => seen.equals(STARTED));
    child.stdin?.write(Buffer.concat([Buffer.from("exec nix-daemon --stdio\n"), workerHello]));
    await waitFor("the daemon's greeting", () => isWorkerAnswer(seen.subarray(8)));
    child.stdin?.end();
    expect((await answerOf(child)).status).toBe(0);
  });
});

describe("a person who opens a shell", () => {
  const GREETING =
    /^nixgate: you are ci of team alpha \(platform team: CI and workstations\); this account serves Nix over ssh:\/\/ and ssh-ng:\/\/ and has no shell; Ctrl-C ends this \(session [0-9a-f-]{36}\)\n/;
  const words = ["--member", "ci"];

  test("is told after a second who they are and what the account is for, once and on stderr alone", async () => {
    const child = startSession(workplace(), { words });
    const answer = answerOf(child);
    let stderr = "";
    child.stderr?.on("data", (text: string) => {
      stderr += text;
    });
    const began = performance.now();
    await waitFor("the greeting", () => stderr !== "");
    expect(performance.now() - began).toBeGreaterThan(900);
    expect(stderr).toMatch(GREETING);
    child.stdin?.write("echo started\n"); // a late line is served like any other
    await sleep(1500);
    child.stdin?.end();
    expect(await answer).toMatchObject({ status: 0, stderr, stdout: STARTED });
  });

  test("is told nothing where the first line comes within a second", async () => {
    const child = startSession(workplace(), { request: "bash", words });
    const answer = answerOf(child);
    await sleep(300);
    child.stdin?.write("echo started\n");
    await sleep(1500);
    child.stdin?.end();
    expect(await answer).toMatchObject({ status: 0, stderr: "", stdout: STARTED });
  });

  test("is told nothing where the stream has ended", async () => {
    expect(await session(workplace(), { words })).toMatchObject({ status: 0, stderr: "" });
  });
});

describe("not a byte behind a request is taken or held back", () => {
  const protocol = Buffer.from(Array.from({ length: 300 }, (_, index) => (index * 7) % 256));
  const stream = Buffer.concat([Buffer.from("echo started\nexec copy\n"), protocol]);
  const expected = Buffer.concat([STARTED, protocol]);
  const place = () => {
    const it = workplace();
    it.allow("copy", ["/bin/cat"]);
    return it;
  };

  test("wherever the stream is split", { timeout: 60_000 }, async () => {
    const it = place();
    const splitBehind = async (at: number) => {
      const child = startSession(it, {});
      child.stdin?.write(stream.subarray(0, at));
      await sleep(120);
      child.stdin?.end(stream.subarray(at));
      expect([at, (await answerOf(child)).stdout]).toEqual([at, expected]);
    };
    const requests = stream.length - protocol.length;
    const places = [...Array.from({ length: requests + 2 }, (_, before) => before + 1), requests + 200];
    for (let first = 0; first < places.length; first += TOGETHER) {
      await Promise.all(places.slice(first, first + TOGETHER).map(splitBehind));
    }
  });

  test("when it comes byte by byte", async () => {
    const child = startSession(place(), {});
    const answer = answerOf(child);
    for (const byte of stream) {
      child.stdin?.write(Uint8Array.of(byte));
      await sleep(1);
    }
    child.stdin?.end();
    expect((await answer).stdout).toEqual(expected);
  });

  test("when the bytes come a second later, and the answer waits for none", async () => {
    const child = startSession(place(), {});
    const answer = answerOf(child);
    child.stdin?.write("exec copy\nfirst");
    let seen = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      seen += chunk;
    });
    await waitFor("the first bytes", () => seen === "first");
    await sleep(1000);
    child.stdin?.end("second");
    expect((await answer).stdout.toString()).toBe("firstsecond");
  });

  test("also to a command that is not the last: it gets what it reads, the loop the rest", async () => {
    const it = place();
    it.allow("take", ["/bin/sh", "-c", 'IFS= read -r line; echo "took $line"']);
    const { stdout, status } = await session(it, { input: "take\nfor the command\necho started\ntake\nagain\n" });
    expect(stdout.toString()).toBe("took for the command\nstarted\ntook again\n");
    expect(status).toBe(0);
  });
});

describe("the loop ends", () => {
  test("at the end of the stream, with the last command's status", async () => {
    const place = workplace();
    place.allow("fail", ["/bin/sh", "-c", "exit 7"]);
    expect((await session(place, { input: "" })).status).toBe(0);
    expect((await session(place, { input: "fail\n" })).status).toBe(7);
  });

  test("with the command of an exec, whatever stands behind it", async () => {
    const place = workplace();
    place.allow("fail", ["/bin/sh", "-c", "exit 7"]);
    const { status, stdout } = await session(place, { input: "exec fail\necho started\n" });
    expect({ status, stdout: stdout.toString() }).toEqual({ status: 7, stdout: "" });
  });

  test.each([
    ["a denial", "nix-daemon --bad\necho started\n", 77, "not-allowlisted"],
    ["an empty line", "\n", 65, "malformed"],
    ["a request that is not finished", "echo started\nnix-dae", 65, "malformed"],
    ["a carriage return", "nix-daemon --stdio\r\n", 65, "malformed"],
    ["a NUL", "nix-daemon\0 --stdio\n", 65, "malformed"],
    ["exec echo started", "exec echo started\n", 77, "not-allowlisted"],
    ["a line of 1 MiB", "x".repeat(1 << 20), 65, "too-long"],
    ["a line longer than line_max_bytes", `${"x".repeat(4097)}\n`, 65, "too-long"],
  ])("at %s", async (_, input, status, reason) => {
    const place = workplace();
    const answer = await session(place, { input });
    expect(answer.status).toBe(status);
    expect(answer.stderr).toMatch(/^nixgate: .+ \(session [0-9a-f-]{36}\)\n$/);
    expect(place.records().at(-2)).toMatchObject({ event: "command.deny", reason });
    expect(place.records().at(-1)).toMatchObject({ event: "session.end", denied: 1, exit: status });
  });

  test("after max_commands requests, echo started among them", async () => {
    const place = workplace();
    place.edit("policies/alpha.toml", /$/, "\n[session]\nmax_commands = 3\n");
    const { status, stdout } = await session(place, { input: "echo started\n".repeat(10) });
    expect({ status, stdout: stdout.toString() }).toEqual({ status: 77, stdout: "started\n".repeat(3) });
    expect(place.records().at(-2)).toMatchObject({ reason: "too-many-commands", n: 4 });
  });

  test.each([
    ["that sends nothing", ""],
    ["that sends a byte and stops", "n"],
  ])("when a client %s lets read_timeout pass, although its stream stays open", async (_, input) => {
    const place = workplace();
    place.edit("policies/alpha.toml", /$/, '\n[session]\nread_timeout = "400ms"\n');
    const child = startSession(place, {});
    const began = performance.now();
    child.stdin?.write(input);
    const { status, stderr } = await answerOf(child);
    expect(status).toBe(65);
    expect(stderr).toContain("no request within");
    expect(performance.now() - began).toBeLessThan(3000);
    expect(place.records().at(-2)).toMatchObject({ reason: "read-timeout" });
  });

  test("when the administrator ends it while it waits", async () => {
    const place = workplace();
    const child = startSession(place, {});
    child.stdin?.write("echo started\n");
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    child.kill("SIGTERM");
    expect((await answerOf(child)).status).toBe(143);
    expect(place.records().at(-1)).toMatchObject({ event: "session.end", cause: "killed-by-admin" });
  });

  test("as it should with a stdin that does not block", async () => {
    const place = workplace();
    place.allow("fds", [`${PROGRAMS}/show-fds.sh`]);
    const nonBlocking = "use Fcntl; fcntl(STDIN, F_SETFL, fcntl(STDIN, F_GETFL, 0) | O_NONBLOCK); exec @ARGV";
    const words = ["-e", nonBlocking, NIXGATE, "session", "--team", "alpha", "--config-dir", place.config];
    const child = spawn("perl", words, { env: { PATH: "/usr/bin:/bin" } });
    child.stdin.write("echo star");
    await sleep(300);
    child.stdin.end("ted\nexec fds\nrest");
    const { stdout, status } = await answerOf(child);
    expect(status).toBe(0);
    expect(stdout.toString().slice(0, 8)).toBe("started\n");
    expect(stdout.toString().slice(-4)).toBe("rest");
  });
});
