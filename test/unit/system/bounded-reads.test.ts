import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** Files that may be read whole, and why: nobody but their reader, or root, can have made them large. */
const WHOLE: Readonly<Record<string, string>> = {
  "src/system/files/apply-host.ts": "files of root's in folders of root's below /etc",
  "src/system/kernel/environment.ts": "the environment of this very process",
  "src/system/kernel/resident.ts": "the supervisor's answer, in /run/nixgate, where only root writes",
  "src/system/archive/seal-key.ts": "root's own key, in a folder of root's",
  "src/system/files/example-policies.ts": "an example of the package",
  "src/system/demo/loopback-sshd.ts": "keys that the demo has made itself",
  "src/system/accounts/pam-environment.ts": "files of root's in /etc/pam.d",
};
const READS = /\b(?:readFileSync|readFile|createReadStream|readlines?)\(/;

test("a file is read whole only where nobody else can let it grow", () => {
  const found = globSync("src/**/*.ts").filter((path) => READS.test(readFileSync(path, "utf8")));
  expect(found.sort()).toEqual(Object.keys(WHOLE).sort());
});
