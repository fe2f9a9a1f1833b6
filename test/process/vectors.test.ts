import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { vectors } from "../support/vectors.ts";
import { NIXGATE } from "../support/workplace.ts";

const STATUS: Record<string, number> = { malformed: 65, "too-long": 65 };

const explain = (request: string) =>
  promisify(execFile)(NIXGATE, [
    "explain",
    "--team",
    "alpha",
    "--config-dir",
    "test/fixtures/config",
    "--json",
    "--",
    request,
  ])
    .then(({ stdout }) => ({ status: 0, stdout }))
    .catch((error) => ({ status: error.code as number, stdout: error.stdout as string }));

test.concurrent.each(vectors)("$request: $decision $expected", async ({ request, decision, expected }) => {
  const { status, stdout } = await explain(request);
  const answer = JSON.parse(stdout);
  expect(answer.decision).toBe(decision);
  if (expected !== "-") expect(decision === "allow" ? answer.endpoint : answer.reason).toBe(expected);
  expect(status).toBe(decision === "allow" ? 0 : (STATUS[answer.reason] ?? 77));
  if (decision === "allow") expect(answer.argv[0]).toMatch(/^\/usr\/bin\/nix-(store|daemon)$/);
});
