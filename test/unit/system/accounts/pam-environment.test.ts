import { expect, test } from "vitest";
import { pamReadsHome } from "../../../../src/system/accounts/pam-environment.ts";
import { configFolder } from "../../../support/config-folder.ts";

const BOOKWORM = "session    required     pam_env.so user_readenv=1 envfile=/etc/default/locale\n";
const TRIXIE = "session    required     pam_env.so envfile=/etc/default/locale\n";

test.each<[string, Record<string, string>, boolean]>([
  ["Debian 12's line", { sshd: `@include common-auth\n${BOOKWORM}` }, true],
  ["Debian 13's line", { sshd: `@include common-auth\n${TRIXIE}` }, false],
  ["a line that is a comment", { sshd: `# ${BOOKWORM}` }, false],
  ["a line that says no", { sshd: BOOKWORM.replace("=1", "=0") }, false],
  ["a line in two", { sshd: BOOKWORM.replace(" user", " \\\n user") }, true],
  ["a file that is included", { sshd: "session substack own\n", own: "@include deep\n", deep: BOOKWORM }, true],
  ["files that include each other", { sshd: "@include own\n", own: "@include sshd\n" }, false],
  ["another service's", { sshd: TRIXIE, su: BOOKWORM }, false],
  ["no file at all", {}, false],
])("whether PAM reads the account's home for sshd: %s", (_, files, reads) => {
  expect(pamReadsHome(configFolder(files))).toBe(reads);
});
