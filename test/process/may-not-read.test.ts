import { spawnSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { programForOthers } from "../support/for-others.ts";
import { sessionLines } from "../support/records.ts";
import { temporaryFolder, writeArchive } from "../support/temporary.ts";

const NOBODY = 65534;
const DENIED = { status: 77 };

let program: ReturnType<typeof programForOthers>;
beforeAll(() => {
  program = programForOthers();
});

/** An archive of two teams, of which others than root may read those that are named. */
function archive(...readable: readonly ("alpha" | "beta")[]) {
  const lines = {
    alpha: sessionLines("2026-01-05T10:00:00Z"),
    beta: sessionLines("2026-01-05T11:00:00Z", undefined, { team: "beta" }),
  };
  const directory = writeArchive({
    "alpha/2026-01-05": lines.alpha.lines.join(""),
    "beta/2026-01-05": lines.beta.lines.join(""),
  });
  chmodSync(directory, 0o755);
  for (const team of ["alpha", "beta"] as const)
    chmodSync(join(directory, team), readable.includes(team) ? 0o755 : 0o700);
  const idOf = (team: "alpha" | "beta") => lines[team].session;
  return { directory, idOf };
}

function asNobody(directory: string, ...words: readonly string[]) {
  const home = temporaryFolder("home");
  const { status, stdout, stderr } = spawnSync(program.node, [program.bundle, ...words, "--log-dir", directory], {
    uid: NOBODY,
    gid: NOBODY,
    cwd: "/",
    env: { HOME: home, PATH: "/usr/bin:/bin" },
    timeout: 20_000, // follow goes on for ever where nothing is denied
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

const READERS: readonly (readonly string[])[] = [
  ["sessions", "list"],
  ["sessions", "list", "--json"],
  ["sessions", "list", "--sort", "wall"],
  ["sessions", "stats"],
  ["sessions", "export"],
  ["sessions", "report"],
  ["sessions", "verify", "--no-journal"],
  ["sessions", "top", "--once"],
  ["sessions", "follow"],
  ["render", "prometheus"],
];

describe.skipIf(process.geteuid?.() !== 0)("another account than root (needs root)", () => {
  test.each(READERS.map((words) => [words] as const))(
    "%j: what may not be read is named, and the status is 77",
    (words) => {
      const { directory } = archive();
      const { status, stderr } = asNobody(directory, ...words);
      expect(stderr).toContain(`${directory}/alpha: cannot be read: EACCES`);
      expect(stderr).toContain(`${directory}/beta: cannot be read: EACCES`);
      expect(status).toBe(77);
    },
  );

  test.each(READERS.map((words) => [words] as const))(
    "%j: so it is where the log directory itself may not be read",
    (words) => {
      const { directory } = archive();
      chmodSync(directory, 0o700);
      const { status, stderr } = asNobody(directory, ...words);
      expect({ status, stderr }).toEqual({ status: 77, stderr: expect.stringContaining("EACCES") });
    },
  );

  test("an empty list does not say that nothing matches", () => {
    expect(asNobody(archive().directory, "sessions", "list").stdout).toBe(
      "no sessions that this account may read match\n",
    );
  });

  test("the readable records are still shown", () => {
    const { directory, idOf } = archive("alpha");
    const { status, stdout, stderr } = asNobody(directory, "sessions", "list");
    expect({ status, stderr }).toEqual({ status: 77, stderr: `${directory}/beta: cannot be read: EACCES\n` });
    expect(stdout).toContain(idOf("alpha"));
    expect(stdout).not.toContain(idOf("beta"));
  });

  test("a question about a readable team gets status 0, even if other teams are unreadable", () => {
    const { directory } = archive("alpha");
    for (const words of [["list"], ["stats"], ["export"], ["top", "--once"]]) {
      const { status, stderr } = asNobody(directory, "sessions", ...words, "--team", "alpha");
      expect({ status, stderr }, words.join(" ")).toEqual({ status: 0, stderr: "" });
    }
  });

  test("a file that may not be read counts as well as a folder", () => {
    const { directory } = archive("alpha", "beta");
    chmodSync(join(directory, "beta/2026-01-05.jsonl"), 0o600);
    for (const words of [["list"], ["list", "--no-index"], ["stats"], ["export"], ["verify", "--no-journal"]])
      expect(asNobody(directory, "sessions", ...words), words.join(" ")).toMatchObject({
        ...DENIED,
        stderr: expect.stringContaining("beta/2026-01-05.jsonl"),
      });
  });

  test.each(["show", "kill"])("sessions %s does not say that there is no such session", (command) => {
    const { directory, idOf } = archive("alpha");
    const hidden = asNobody(directory, "sessions", command, idOf("beta"));
    expect(hidden).toMatchObject({ status: 77, stderr: expect.stringContaining(`it may not read ${directory}/beta`) });
    expect(hidden.stderr).not.toContain("no such session");
    const seen = asNobody(directory, "sessions", command, idOf("alpha"));
    expect(seen.stderr).not.toContain("EACCES");
    expect(seen.status).toBe(command === "show" ? 0 : 64); // it has ended
  });
});
