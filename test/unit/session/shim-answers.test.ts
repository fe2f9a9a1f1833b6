import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Plan } from "../../../src/scope/plan.ts";
import { answerToEnd, answerToRead, answerToRun, lookOfShim } from "../../../src/session/shim-answers.ts";
import type { Milliseconds } from "../../../src/units/quantities.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const QUIET = { told: [], started: 0 };
const HOSTILE = ["$(id)", "`id`", "a'b", 'c"d', "\\", "two words", "*", "", "e\nf", "-n"];
const PRINT = 'for word; do printf "<%s>" "$word"; done';

/** Obeys an answer as bin/nixgate-shim does: with the client's stderr as fd 3. */
function obey(answer: string, shell = "/bin/sh", then = "") {
  const file = join(temporaryFolder("answer"), "1");
  writeFileSync(file, answer);
  const script = `exec 3>&2 2>/dev/null; status=; . "$0"; status=\${status:-$?}; ${then}`;
  return spawnSync(shell, ["-c", script, file], { encoding: "utf8" });
}

/** The answer that runs these words, after the look at `program`; by default at the first of them. */
const toRun = (commandLine: readonly string[], program = commandLine[0]) =>
  answerToRun({ argv: [program], commandLine } as unknown as Plan, QUIET);

const fifo = () => join(temporaryFolder("shim"), "full");

const shells = ["/bin/sh", "/bin/bash"];

test.each(shells)("%s runs the very words, whatever they hold", (shell) => {
  const commandLine = ["/bin/sh", "-c", PRINT, "sh", ...HOSTILE] as const;
  const { stdout, stderr } = obey(toRun(commandLine), shell);
  expect(stdout).toBe(HOSTILE.map((word) => `<${word}>`).join(""));
  expect(stderr).toBe("");
});

test.each(shells)("%s says nothing of its own about a command that was killed", (shell) => {
  const commandLine = ["/bin/sh", "-c", "kill -KILL $$"] as const;
  const { stdout, stderr } = obey(toRun(commandLine), shell, 'echo "status $status"');
  expect({ stdout, stderr }).toEqual({ stdout: "status 137\n", stderr: "" });
});

test("what the supervisor has to say comes first, on the client's own streams", () => {
  const said = { told: ["nixgate: it's $HOME, \\c and \\n (session 1)"], started: 2 };
  expect(obey(answerToEnd(75, said))).toMatchObject({
    status: 75,
    stdout: "started\nstarted\n",
    stderr: "nixgate: it's $HOME, \\c and \\n (session 1)\n",
  });
});

test("a client that reads nothing keeps the shim for a second, and its status is the right one", () => {
  const full = `perl -e 'open my $out, ">&=3"; $out->blocking(0); 1 while syswrite $out, "x" x 4096; $out->blocking(1)'; `;
  const said = { told: ["nixgate: ended by the administrator (session 1)"], started: 0 };
  const script = `exec 4<&- 3>&1 >/dev/null 2>/dev/null; ${full}${answerToEnd(143, said)}`;
  const began = performance.now();
  const { status } = spawnSync("/bin/bash", [
    "-c",
    'mkfifo "$1"; exec 5<>"$1"; /bin/sh -c "$2" >&5',
    "sh",
    fifo(),
    script,
  ]);
  expect(status).toBe(143);
  expect(performance.now() - began).toBeLessThan(4000);
});

test("a line is read by read-request, in the shim's own place", () => {
  const bounds = { maxBytes: 4096, timeout: 30_000 as Milliseconds };
  const answer = answerToRead("/bin/echo", ["alpha", "", "2"], bounds, QUIET);
  expect(obey(`${answer}echo not reached\n`).stdout).toBe("read-request 4096 30000 alpha  2\n");

  const hostile = `you are 'ci'; $(id) \`id\` "x" \\ *`;
  const greeted = answerToRead("/usr/bin/printf", ["alpha", "", "2"], { ...bounds, greeting: hostile }, QUIET);
  expect(obey(greeted.replace("read-request", "'%s\\n'")).stdout).toBe(`4096\n30000\nalpha\n\n2\n${hostile}\n`);
});

describe.each(shells)(
  "%s looks at the program, so that no failed execve(2) is taken for the command's own end",
  (shell) => {
    /** What the shim tells of a program that is executed as the supervisor has it: by way of env and setpriv. */
    const told = (program: string, words: readonly string[] = []) => {
      const commandLine = ["env", "-i", "PATH=/usr/bin:/bin", "setpriv", "--no-new-privs", "--", program, ...words];
      const { stdout, stderr } = obey(toRun(commandLine, program), shell, 'echo "$status"');
      return { look: lookOfShim(Number(stdout)), status: Number(stdout), stderr };
    };
    const script = (text: string, mode = 0o755) => {
      const path = join(temporaryFolder("program"), "it's one");
      writeFileSync(path, text);
      chmodSync(path, mode);
      return path;
    };
    const made = (name: string, make: (path: string) => void) => {
      const path = join(temporaryFolder("program"), name);
      make(path);
      return path;
    };

    test.each<[string, () => string, RegExp]>([
      ["missing", () => "/nonexistent/nix-deamon", /^does not exist/],
      ["a folder", () => made("folder", (path) => mkdirSync(path)), /^is a folder$/],
      ["not executable", () => script("#!/bin/sh\n", 0o644), /^cannot be executed/],
      [
        "a dangling link",
        () => made("link", (path) => symlinkSync("/nix/store/gone", path)),
        /^is a link to a missing file/,
      ],
    ])("%s: it is not executed, and nothing but nixgate speaks", (_, make, found) => {
      const { look, stderr } = told(make());
      expect(look).toMatch(found);
      expect(stderr).toBe("");
    });

    test.each(["#!/nonexistent/sh -e\n", "#! /nonexistent/sh\n"])("a script whose interpreter is gone: %j", (text) => {
      expect(told(script(text)).look).toBe("needs an interpreter that is missing");
    });

    test("it goes while setpriv is about to execute it", () => {
      const program = script("#!/bin/sh\n");
      const commandLine = ["/bin/sh", "-c", 'rm "$1"; exec setpriv -- "$1"', "sh", program];
      const { stdout } = obey(toRun(commandLine, program), shell, 'echo "$status"');
      expect(lookOfShim(Number(stdout))).toMatch(/^does not exist/);
    });

    test.each([0, 1, 126, 127, 255])("a command's own %i stays its own", (status) => {
      expect(told("/bin/sh", ["-c", `exit ${status}`]).status).toBe(status);
    });
  },
);
