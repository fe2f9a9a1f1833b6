import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { KEYS_ID } from "../../src/record/journal-entry.ts";
import { tellLog } from "../../src/system/archive/host-log.ts";
import { insteadOfLogger } from "../support/logger.ts";

const PROBLEM = { team: "alpha", text: "/etc/nixgate/policies/alpha.toml:3: a\u001b[2J" };

test("journald is told at error level, with the team and an id of its own", async () => {
  const { folder, logger } = insteadOfLogger('cat >"said-$$"; echo "$@" >words; mv "said-$$" said');
  await tellLog([PROBLEM], { socket: "/dev/null", logger });
  const said = readFileSync(join(folder, "said"), "utf8");
  expect(said).toContain(`PRIORITY=3\nMESSAGE_ID=${KEYS_ID}\nSYSLOG_IDENTIFIER=nixgate\nNIXGATE_TEAM=alpha\n`);
  expect(said).toContain("MESSAGE=authorized-keys: team alpha: /etc/nixgate/policies/alpha.toml:3: a\\u{1b}[2J\n");
  expect(readFileSync(join(folder, "words"), "utf8")).toContain("--journald");
});

test("without journald syslog is told", async () => {
  const { folder, logger } = insteadOfLogger('printf "<%s>" "$@" >words');
  await tellLog([PROBLEM], { socket: "/nonexistent", logger });
  expect(readFileSync(join(folder, "words"), "utf8")).toBe(
    "<--priority><auth.err><--tag><nixgate><--><authorized-keys: team alpha: /etc/nixgate/policies/alpha.toml:3: a\\u{1b}[2J>",
  );
});

test("without logger(1) nobody is told, and nothing fails", async () => {
  await tellLog([PROBLEM], { socket: "/nonexistent", logger: "/nonexistent" });
  await tellLog([PROBLEM], { socket: "/dev/null", logger: "/nonexistent" });
});
