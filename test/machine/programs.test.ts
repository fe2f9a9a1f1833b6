import { expect } from "vitest";
import { attempt, lineOf, test } from "./hostile.ts";
import { supervised } from "./managers.ts";
import { text } from "./operator.ts";
import { allow } from "./policies.ts";

const SCRIPT = "/usr/local/bin/of-no-interpreter";

test("a program that cannot be executed ends with 78, one line for the client and no command.start", async ({
  builder,
}) => {
  await text(
    builder,
    `printf '#!/nonexistent/sh\\n' >${SCRIPT} && chmod 755 ${SCRIPT} && install -m 644 /dev/null /usr/local/bin/plain && ln -sfn /nix/store/gone /usr/local/bin/collected`,
  );
  const cases = [
    ["missing", "/usr/bin/nix-deamon", /does not exist/],
    ["folder", "/usr/bin", /is a folder/],
    ["plain", "/usr/local/bin/plain", /cannot be executed by the account/],
    ["link", "/usr/local/bin/collected", /is a link to /],
    ["script", SCRIPT, /interpreter/],
  ] as const;
  await allow(builder, "alpha", {
    ...Object.fromEntries(cases.map(([request, path]) => [request, [path, "-c", "true"]])),
    "own-127": ["/bin/sh", "-c", "exit 127"],
  });
  for (const [request, path, why] of cases) {
    const { exitCode, stderr, story } = await attempt(builder, request);
    expect.soft(exitCode, request).toBe(78);
    expect.soft(lineOf(stderr), request).toMatch(/^the program of this request cannot be run: /);
    expect.soft(lineOf(stderr), request).toMatch(why);
    expect.soft(story.ended, request).toMatchObject({ cause: "exec-failed", message: expect.stringContaining(path) });
    expect.soft(story.ended, request).not.toHaveProperty("exit_code");
    expect.soft(story.over, request).toMatchObject({ cause: "exec-failed", exit: 78 });
    // setpriv(1) speaks only where no look of the shim's could know
    if (!(supervised(builder) && request === "script"))
      expect.soft(`${stderr}`.trimEnd().split("\n"), request).toHaveLength(1);
  }
  const { exitCode, story } = await attempt(builder, "own-127");
  expect(exitCode).toBe(127);
  expect(story.ended).toMatchObject({ cause: "exit", exit_code: 127 });
});
