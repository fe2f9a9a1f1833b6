import { chmodSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { ASKED, incident } from "../support/incident.ts";
import { README } from "../support/markdown.ts";
import { temporaryFolder, writeArchive } from "../support/temporary.ts";

const LOG = "/var/log/nixgate";
const [chapter = ""] = README.split("\n## After an incident\n")[1]?.split("\n## ") ?? [];
/** What is typed and what is answered, block by block; `…` alone in a line stands for any lines. */
const dialogue = [...chapter.matchAll(/^```console\n([\s\S]*?)^```$/gm)]
  .flatMap(([, block]) => `\n${block}`.split(/\n[$#] /).slice(1))
  .map((said) => ({ command: said.split("\n")[0] ?? "", answer: said.split("\n").slice(1).join("\n").trimEnd() }));

/** A `nixgate` for a shell: the built program, with a clock that stands still. */
function wrapper(): string {
  const folder = temporaryFolder("bin");
  const clock = resolve("test/fixtures/programs/fixed-clock.cjs");
  const path = join(folder, "nixgate");
  writeFileSync(
    path,
    `#!/bin/sh\nexec "${resolve("dist/node")}" --require "${clock}" "${resolve("bin/nixgate.cjs")}" "$@" --log-dir "$LOG"\n`,
  );
  chmodSync(path, 0o755);
  return folder;
}

const pattern = (answer: string) =>
  new RegExp(`^${answer.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll(/^…$/gm, "[\\s\\S]*?")}$`);

test("README's chapter shows what its commands really print", async () => {
  expect(dialogue.map(({ command }) => command.split(" ").slice(0, 3).join(" "))).toEqual(
    expect.arrayContaining([
      "nixgate sessions list",
      "nixgate sessions show",
      "nixgate sessions stats",
      "nixgate sessions verify",
    ]),
  );
  const directory = writeArchive(incident());
  const bin = wrapper();
  for (const { command, answer } of dialogue) {
    const { all } = await execa("/bin/sh", ["-c", command.replaceAll(LOG, directory)], {
      all: true,
      reject: false,
      env: { PATH: `${bin}:/usr/bin:/bin`, LOG: directory, FIXED_CLOCK: String(ASKED), TZ: "UTC" },
    });
    expect(all.replaceAll(directory, LOG).trimEnd(), command).toMatch(pattern(answer));
  }
});
