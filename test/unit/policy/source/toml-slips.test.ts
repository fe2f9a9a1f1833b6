import { describe, expect, test } from "vitest";
import { readPolicy } from "../../../../src/policy/read-policy.ts";

/** The first problem of a policy, as `line: message → fix`. */
async function problem(text: string) {
  const { problems } = await readPolicy(text, "/etc/nixgate/policies/alpha.toml");
  const [first] = problems;
  return first && `${first.line}: ${first.message} → ${first.fix}`;
}

const HEAD = 'schema = 1\nteam = "alpha"\n';
const slips: readonly (readonly [slip: string, text: string, said: RegExp])[] = [
  ["no closing quote", 'schema = 1\nteam = "alpha\n[limits]\n', /^2: a closing quote is missing.* → write " after/],
  ["no closing quote at the end of the file", 'schema = 1\nteam = "alpha', /^2: a closing quote is missing/],
  ["no closing quote, lines ending in CR LF", 'schema = 1\r\nteam = "alpha\r\n', /^2: a closing quote is missing/],
  ["no closing single quote", "schema = 1\nteam = 'alpha\n", /^2: a closing quote is missing.* → write ' after/],
  ["no closing quote in a list", `${HEAD}[[allow]]\nrequest = ["x", "y]\n`, /^4: a closing quote is missing/],
  ["no closing triple quote", `${HEAD}description = """x\ny\n`, /^3: a text that begins with """ has no end/],
  ["no opening quote", 'schema = 1\nteam = alpha"\n', /^2: "alpha"" is a text without quotes.* → write "alpha"$/],
  ["no quotes", "schema = 1\nteam = alpha\n", /^2: "alpha" is a text without quotes around it → write "alpha"$/],
  ["no quotes around a size", `${HEAD}[limits]\nMemoryMax = 2G\n`, /^4: "2G" is a text without quotes.* → write "2G"$/],
  ["a path without quotes", `${HEAD}[[allow]]\nrun = [/usr/bin/x]\n`, /^4: "\/usr\/bin\/x" is a text without quotes/],
  [
    "no closing bracket of a list",
    `${HEAD}[[allow]]\nrequest = ["x",\n"y"\nrun = ["z"]\n`,
    /^4: a closing \] is missing/,
  ],
  ["no closing bracket at the end of the file", `${HEAD}[[allow]]\nrequest = ["x"\n`, /^4: a closing \] is missing/],
  ["no closing bracket of a table", `${HEAD}[limits\nTasksMax = 1\n`, /^3: a closing bracket is missing/],
  ["one closing bracket for two", `${HEAD}[[member]\nname = "x"\n`, /^3: a closing bracket is missing/],
  ["no closing brace", `${HEAD}[[allow]]\nenvironment = { A = "b"\nrun = ["z"]\n`, /^4: a closing \} is missing/],
  ["no =", 'schema 1\nteam = "alpha"\n', /^1: = is missing/],
  ["a colon", 'schema: 1\nteam = "alpha"\n', /^1: there is a colon instead of =/],
  ["a colon in an inline table", `${HEAD}[[allow]]\nenvironment = { A: "b" }\n`, /^4: there is a colon instead of =/],
  ["= twice", 'schema == 1\nteam = "alpha"\n', /^1: = occurs twice/],
  ["no value", "schema =\n", /^1: a value is missing/],
  [
    "a comma missing in a list",
    `${HEAD}[[allow]]\nrequest = ["x" "y"]\n`,
    /^4: a comma is missing between two entries of the list/,
  ],
  ["a comma missing in a list of lines", `${HEAD}[[allow]]\nrequest = [\n "x"\n "y"\n]\n`, /^6: a comma is missing/],
  [
    "a comma missing in an inline table",
    `${HEAD}[[allow]]\nenvironment = { A = "b" C = "d" }\n`,
    /^4: a comma is missing/,
  ],
  ["a table twice", `${HEAD}[limits]\nTasksMax = 1\n[limits]\n`, /^5: the table \[limits\] occurs twice/],
  ["a key twice", `${HEAD}team = "beta"\n`, /^3: the key team occurs twice/],
  [
    "[member] twice",
    `${HEAD}[member]\nname = "x"\n[member]\nname = "y"\n`,
    /^3: \[member\] defines one table.* → write \[\[member\]\]/,
  ],
  [
    "[allow] and [[allow]]",
    `${HEAD}[allow]\nendpoint = "x"\n[[allow]]\n`,
    /^3: \[allow\] defines one table.* → write \[\[allow\]\]/,
  ],
  ["[member] once", `${HEAD}[member]\nname = "x"\n`, /^3: member: .* → write each member under \[\[member\]\]/],
  [
    "True",
    `${HEAD}[[allow]]\nprocess_ops = True\n`,
    /^4: "True" is neither true nor false → write true, in small letters/,
  ],
  ["no", `${HEAD}[[allow]]\nprocess_ops = no\n`, /^4: "no" is neither true nor false → write false/],
  ["smart quotes", "schema = 1\nteam = “alpha”\n", /^2: “ is a typographic quotation mark/],
  ["smart single quotes", "schema = 1\nteam = ‘alpha’\n", /^2: ‘ is a typographic quotation mark/],
  ["a no-break space", 'schema = 1\nteam\u00a0= "alpha"\n', /^2: there is an invisible character, U\+00A0/],
  ["a control character", 'schema = 1\nteam = "al\u0007pha"\n', /^2: a text holds a control character, U\+0007/],
  ["a semicolon", 'schema = 1;\nteam = "alpha"\n', /^1: ; follows a value/],
  ["a semicolon after a text", 'schema = 1\nteam = "alpha";\n', /^2: ; follows a value/],
  ["two keys in a line", 'schema = 1 team = "alpha"\n', /^1: (?:a value has more text after it|a quote ends)/],
  ["a quote in a text", `${HEAD}description = "the "best" team"\n`, /^3: a quote ends the text before its end/],
  ["a backslash", `${HEAD}description = "C:\\dir"\n`, /^3: a backslash begins a sequence/],
  ["// for a comment", "// x\n", /^1: a comment begins with #/],
  ["; for a comment", "; x\n", /^1: a comment begins with #/],
  [
    "a key with a blank",
    `${HEAD}[session]\nmax concurrent = 3\n`,
    /^4: "max concurrent" is a key with a space.* → write max_concurrent/,
  ],
  ["round brackets", `${HEAD}[[allow]]\nrequest = ("x")\n`, /^4: a list is in round brackets/],
  ["a leading zero", `${HEAD}[limits]\nTasksMax = 064\n`, /^4: "064" is a number that begins with 0/],
];

describe("a slip is named, in its line, with its remedy", () => {
  test.each(slips)("%s", async (_, text, said) => {
    expect(await problem(text)).toMatch(said);
  });
});

test.each(["\t", "  \t "])("tabs and blanks in front of keys are no slip: %j", async (indentation) => {
  expect(await problem(`${HEAD}[limits]\n${indentation}TasksMax = 3\n`)).toBeUndefined();
});

test("a trailing comma is taken, in lists and in inline tables", async () => {
  const rule = '[[allow]]\nrequest = ["x",]\nrun = ["/bin/true",]\nenvironment = { NIX_CONFIG = "b", }\n';
  expect(await problem(HEAD + rule)).toBeUndefined();
});

test.each(["=", "[", "a = {", '"', "a = [1, {b = [", "a = x=", "a\n=\n1", "[[[["])(
  "%j is refused with some line",
  async (text) => {
    expect(await problem(text)).toMatch(/^\d+: /);
  },
);
