import { expect } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import { allow, edit, editHost } from "./policies.ts";
import { recordsOf } from "./records.ts";
import { test, text } from "./supervision.ts";
import { awaitProcess, startClient } from "./waiting-client.ts";

const WORDS = "new disks, back at six";

test("a closed builder refuses new sessions before the protocol starts, and lets running sessions end", async ({
  builder,
}) => {
  await edit(builder, "alpha", 's/^RuntimeMaxSec = .*/RuntimeMaxSec = "600s"/'); // however busy the machine is
  await allow(builder, "alpha", { hold: ["/bin/sh", "-c", "until [ -e /tmp/go ]; do sleep 0.2222; done; exit 6"] });
  await builder.asRoot("rm -f /tmp/go");
  const running = builder.ssh("nix-alpha", "hold");
  await awaitProcess(builder, "^sleep 0.2222");
  using loop = startClient(builder);
  const said: string[] = [];
  loop.stdout?.setEncoding("utf8").on("data", (line: string) => said.push(line));
  loop.stdin?.write("echo started\n");
  await waitFor("its first answer", () => said.length === 1, 60_000);

  await editHost(builder, '$a [messages]\\ncontact = "ask builders@example.org"');
  await builder.asRoot(`nixgate close --message '${WORDS}'`);
  const turnedAway = await builder.ssh("nix-beta", "nix-store --serve --write", { input: "not read" });
  expect([turnedAway.exitCode, `${turnedAway.stdout}`]).toEqual([75, ""]);
  expect(`${turnedAway.stderr}`).toMatch(
    new RegExp(`^nixgate: this builder is closed: ${WORDS} \\(session .+; contact: ask builders@example.org\n$`),
  );
  expect((await builder.ssh("nix-alpha")).exitCode).toBe(75);
  expect(await text(builder, "nixgate sessions top --once")).toContain(`closed to all teams: ${WORDS}`);
  expect(await text(builder, "nixgate render prometheus")).toContain("nixgate_closed 1");
  loop.stdin?.end("echo started\n");
  await waitFor("the answer to a session of before", () => said.length === 2, 60_000);
  await builder.asRoot("touch /tmp/go");
  expect((await running).exitCode).toBe(6);
  await waitFor("the loop's end", () => loop.exitCode === 0, 60_000);

  await builder.asRoot("nixgate open");
  expect((await builder.ssh("nix-alpha", "quick")).exitCode).toBe(0);
  expect(await text(builder, "nixgate render prometheus")).toContain("nixgate_closed 0");
  const refused = [
    ...(await recordsOf(builder, "alpha", "session.refuse")),
    ...(await recordsOf(builder, "beta", "session.refuse")),
  ];
  expect(refused.map(({ reason }) => reason)).toEqual(["closed", "closed"]);
  expect(await recordsOf(builder, "_host", "host.close")).toMatchObject([{ user: "root", uid: 0, message: WORDS }]);
  expect(await recordsOf(builder, "_host", "host.open")).toMatchObject([{ user: "root", uid: 0 }]);
  expect(await text(builder, "nixgate sessions verify --no-journal")).toContain(": nothing found");
});
