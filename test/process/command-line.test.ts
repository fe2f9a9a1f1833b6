import { execa } from "execa";
import { expect, test } from "vitest";

const nixgate = (...words: string[]) => execa("bin/nixgate", words, { reject: false });
const LIST = /^usage: nixgate sessions COMMAND .*\n\ncommands:\n {2}sessions list /;

test.each([
  [[], 64, "", /^usage: nixgate COMMAND/],
  [["--help"], 0, /^usage: nixgate COMMAND/, ""],
  [["help"], 0, /^usage: nixgate COMMAND/, ""],
  [["sessions"], 64, "", LIST],
  [["sessions", "--json"], 64, "", LIST],
  [["sessions", "--help"], 0, LIST, ""],
  [["help", "sessions"], 0, LIST, ""],
  [["help", "sessions", "list"], 0, /^usage: nixgate sessions list .*\n {9}\[/, ""],
  [["read-request", "--help"], 0, /^usage: nixgate read-request /, ""],
  [["sessions", "--", "--help"], 64, "", LIST],
  [["sessions", "lst"], 64, "", '"sessions lst"; did you mean sessions list?\nnixgate: see nixgate sessions --help'],
  [["shim-lin"], 64, "", 'nixgate: there is no command "shim-lin"\nnixgate: see nixgate --help'],
  [["chekc", "--help"], 64, "", '"chekc"; did you mean check?'],
  [["che\u001bck"], 64, "", /^nixgate: there is no command "che\\u?[^\n]*1b/],
] as const)("nixgate %j ends with %i", async (words, status, stdout, stderr) => {
  const result = await nixgate(...words);
  const matches = (text: string | RegExp) =>
    text === "" ? "" : typeof text === "string" ? expect.stringContaining(text) : expect.stringMatching(text);
  expect(result).toMatchObject({ exitCode: status, stdout: matches(stdout), stderr: matches(stderr) });
});
