import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Plan } from "../../../src/scope/plan.ts";
import { answerToEnd, answerToRead, answerToRun } from "../../../src/session/front-answers.ts";
import type { Milliseconds } from "../../../src/units/quantities.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const QUIET = { told: [], started: 0 };
const HOSTILE = ["$(id)", "`id`", "a'b", 'c"d', "\\", "two words", "*", "", "e\nf", "-n"];
const PRINT = 'for word; do printf "<%s>" "$word"; done';

/** Obeys an answer as bin/nixgate-front does: with the client's stderr as fd 3. */
const obey = (answer: string, shell = "/bin/sh") =>
  spawnSync(shell, ["-c", `exec 3>&2 2>/dev/null; ${answer}`], { encoding: "utf8" });

const fifo = () => join(temporaryFolder("front"), "full");

const shells = ["/bin/sh", "/bin/bash"];

test.each(shells)("%s runs the very words, whatever they hold", (shell) => {
  const commandLine = ["/bin/sh", "-c", PRINT, "sh", ...HOSTILE] as const;
  const { stdout, stderr } = obey(answerToRun({ commandLine } as unknown as Plan, QUIET), shell);
  expect(stdout).toBe(HOSTILE.map((word) => `<${word}>`).join(""));
  expect(stderr).toBe("");
});

test.each(shells)("%s says nothing of its own about a command that was killed", (shell) => {
  const commandLine = ["/bin/sh", "-c", "kill -KILL $$"] as const;
  const answer = `${answerToRun({ commandLine } as unknown as Plan, QUIET)}echo "status $?"`;
  expect(obey(answer, shell)).toMatchObject({ stdout: "status 137\n", stderr: "" });
});

test("what the supervisor has to say comes first, on the client's own streams", () => {
  const said = { told: ["nixgate: it's $HOME, \\c and \\n (session 1)"], started: 2 };
  expect(obey(answerToEnd(75, said))).toMatchObject({
    status: 75,
    stdout: "started\nstarted\n",
    stderr: "nixgate: it's $HOME, \\c and \\n (session 1)\n",
  });
});

test("a client that reads nothing keeps the front for a second, and its status is the right one", () => {
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

test("a line is read by front-line, in the front's own place", () => {
  const bounds = { maxBytes: 4096, timeout: 30_000 as Milliseconds };
  const answer = answerToRead("/bin/echo", ["alpha", "", "2"], bounds, QUIET);
  expect(obey(`${answer}echo not reached`).stdout).toBe("front-line 4096 30000 alpha  2\n");
});
