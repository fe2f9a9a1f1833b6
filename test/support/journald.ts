import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { systemdProgram } from "./journal-export.ts";
import { NIXGATE, type Workplace } from "./workplace.ts";

const WRAPPER = resolve("test/fixtures/programs/with-journald.sh");

/** Why there can be no journald of a test's own here; undefined where there can. */
export const noJournald =
  process.geteuid?.() !== 0
    ? "needs root"
    : spawnSync("unshare", ["--mount", "true"]).status !== 0
      ? "needs mount namespaces"
      : systemdProgram("systemd-journald") === undefined
        ? "needs systemd-journald"
        : undefined;

/**
 * Runs a script of sh beside a real journald whose files stay in `journal`. `serve REQUEST` in it serves a session of
 * the place as sshd would, `start REQUEST &` leaves its process in `$!`, words in
 * `$WRAP` come in front of the program, CONFIG and LOG are the place's folders.
 */
export function withJournald(place: Workplace, journal: string, script: string) {
  const file = join(place.folder, "script.sh");
  const environment = 'env SSH_ORIGINAL_COMMAND="$1" SSH_CONNECTION="192.0.2.7 50022 192.0.2.1 22"';
  const serve = `${environment} $WRAP ${NIXGATE} session --team alpha --config-dir ${place.config}`;
  const functions = `serve() { ${serve}; }\nstart() { exec ${serve}; }`;
  writeFileSync(file, `${functions}\n${script.replaceAll("CONFIG", place.config).replaceAll("LOG", place.log)}\n`);
  return spawnSync(WRAPPER, [journal, "sh", file], { encoding: "utf8", timeout: 60_000 });
}
