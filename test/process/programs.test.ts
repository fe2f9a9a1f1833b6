import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { problemWithProgram, type Viewer } from "../../src/system/kernel/program-look.ts";
import { session } from "../support/run-session.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { workplace } from "../support/workplace.ts";

const SOMEBODY: Viewer = { uid: 4_000_000, confined: false };

function made(kind: string): string {
  const path = join(temporaryFolder("program"), kind);
  const file = (text: string, mode = 0o755) => {
    writeFileSync(path, text);
    chmodSync(path, mode);
  };
  const make: Readonly<Record<string, () => void>> = {
    missing: () => undefined,
    folder: () => mkdirSync(path),
    plain: () => file("#!/bin/sh\n", 0o644),
    dangling: () => symlinkSync("/nonexistent/nix-store", path),
    collected: () => symlinkSync("/nix/store/00000000000000000000000000000000-nix/bin/nix-store", path),
    script: () => file("#!/nonexistent/sh -e\n"),
    "script of a plain file": () => file("#! /etc/passwd\n"),
    loop: () => symlinkSync(path, path),
    endless: () => file(`#!${path}\n`),
    good: () => file("#!/bin/sh\nexit 0\n"),
    empty: () => file(""),
    unreadable: () => file("#!/nonexistent/sh\n", 0o711),
  };
  make[kind]?.();
  return path;
}

describe("a look at a program", () => {
  test.each([
    ["missing", "does not exist", "correct the path, or install the program"],
    ["folder", "is a folder", "write the path of a program in it"],
    ["plain", "cannot be executed by the account", expect.stringMatching(/^chmod a\+rx /)],
    ["dangling", "is a link to /nonexistent/nix-store, which is missing", expect.anything()],
    ["collected", expect.stringMatching(/^is a link to \/nix\/store\/.+ missing$/), expect.stringMatching(/root/)],
    ["script", "needs the interpreter /nonexistent/sh, which does not exist", expect.anything()],
    [
      "script of a plain file",
      "needs the interpreter /etc/passwd, which cannot be executed by the account",
      expect.anything(),
    ],
    ["loop", "cannot be checked (ELOOP)", expect.anything()],
    ["endless", expect.stringMatching(/is a script with too many nested interpreters$/), expect.anything()],
  ])("%s", (kind, message, fix) => {
    expect(problemWithProgram(made(kind))).toEqual({ message, fix });
  });

  test.each(["good", "empty"])("finds nothing wrong with what execve(2) may take: %s", (kind) => {
    expect(problemWithProgram(made(kind))).toBeUndefined();
    expect(problemWithProgram(made(kind), SOMEBODY)).toBeUndefined();
  });

  test("root's look for another account goes by the file's mode, as far as that is certain", () => {
    const path = made("good");
    const modes = [0o700, 0o744, 0o750, 0o701].map((mode) => {
      chmodSync(path, mode);
      return problemWithProgram(path, SOMEBODY)?.message;
    });
    const refused = "cannot be executed by the account";
    // the group's bits may be the mask of an access control list that names the account
    expect(modes).toEqual([refused, refused, undefined, undefined]);
  });

  test("the sandbox hides what lies in homes and temporary folders", () => {
    expect(problemWithProgram(made("good"), { ...SOMEBODY, confined: true })?.message).toContain("sandbox");
    expect(problemWithProgram("/bin/true", { ...SOMEBODY, confined: true })).toBeUndefined();
  });
});

test("a session ends with 78 and one line before its command, and its record says why it never began", async () => {
  const place = workplace();
  place.allow("gone", ["/usr/bin/nix-deamon", "--stdio"]);
  const { status, stdout, stderr } = await session(place, { request: "gone" });
  expect({ status, stdout: `${stdout}` }).toEqual({ status: 78, stdout: "" });
  expect(stderr).toMatch(
    /^nixgate: the program of this request cannot be run: \/usr\/bin\/nix-deamon does not exist \(session .+\)\n$/,
  );
  expect(place.records().slice(1)).toMatchObject([
    { event: "command.start" },
    { event: "command.end", cause: "exec-failed", message: "/usr/bin/nix-deamon does not exist" },
    { event: "session.end", cause: "exec-failed", exit: 78 },
  ]);
});

test("a program that goes while the session is being served is no command that exited with 127", async () => {
  const place = workplace();
  const program = made("good");
  writeFileSync(program, `#!/bin/sh\nrm ${program}\nexec ${program}\n`);
  place.allow("itself", [program]);
  expect((await session(place, { request: "itself" })).status).toBe(78);
  place.allow("own", ["/bin/sh", "-c", "exit 127"]);
  expect((await session(place, { request: "own" })).status).toBe(127);
});
