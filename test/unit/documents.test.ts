import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { decide } from "../../src/decision/decide.ts";
import { readHostConfig } from "../../src/policy/read-host-config.ts";
import { readPolicy } from "../../src/policy/read-policy.ts";
import { CAUSES, EVENTS, REASONS } from "../../src/record/vocabulary.ts";
import { ENDPOINTS } from "../../src/request/endpoints.ts";
import { parseRequest } from "../../src/request/parse-request.ts";
import { ExitStatus } from "../../src/units/exit-status.ts";
import { allCommands, commandRows, commandNames as commands } from "../support/commands-table.ts";
import { codeBlocks, page, quoted, tableUnder } from "../support/markdown.ts";
import { recordFieldRows } from "../support/record-fields-table.ts";

const firstQuoted = (name: string, title: string) =>
  tableUnder(page(name), title).map(([cell = ""]) => quoted(cell)[0]);
describe("the tables of docs/ are the code's", () => {
  test("commands", () => {
    const listed = firstQuoted("commands", "command").map(
      (usage) => /^nixgate ([a-z-]+(?: [a-z]+)?)/.exec(usage ?? "")?.[1],
    );
    expect(commands.length).toBeGreaterThan(4);
    expect([...listed].sort()).toEqual([...commands].sort());
  });

  test("commands, as their own help says it; when this fails: node test/support/write-doc-tables.ts", async () => {
    expect((await allCommands()).map(({ name }) => name)).toEqual(commands);
    expect(tableUnder(page("commands"), "command")).toEqual(await commandRows());
  });

  test("no command that exists is called planned", () => {
    const planned = /^Planned, not there yet: ([\s\S]*?)\n\n/m.exec(page("commands"))?.[1] ?? "";
    const [alone = "", ofSessions = ""] = planned.split(" and `sessions ");
    const names = [...quoted(alone), ...quoted(`\`${ofSessions}`).map((name) => `sessions ${name}`)];
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => commands.includes(name))).toEqual([]);
  });

  test("endpoints, with their words and what they run", () => {
    const rows = tableUnder(page("requests"), "endpoint").map((cells) => cells.map(quoted));
    const listed = rows.flatMap(([name, words, runs]) =>
      words?.map((text) => ({ name: name?.[0], text, runs: runs?.[0] })),
    );
    const own = { name: "echo-started", text: "echo started", runs: undefined };
    const coded = ENDPOINTS.map(({ name, words, program, arguments: args }) => ({
      name,
      text: words.join(" "),
      runs: [program, ...args].join(" "),
    }));
    expect(listed).toHaveLength(coded.length + 1);
    expect(listed).toEqual(expect.arrayContaining([...coded, own]));
  });

  test("exit statuses", () => {
    const [, ...statuses] = tableUnder(page("requests"), "status").map(([cell]) => Number(cell));
    const { ok: _, ...own } = ExitStatus;
    expect(statuses).toEqual(Object.values(own));
  });

  test.each([
    ["records", "event", EVENTS],
    ["requests", "reason", REASONS],
    ["records", "cause", CAUSES],
  ])("docs/%s.md has every %s, in the code's order", (name, title, words) =>
    expect(firstQuoted(name, title)).toEqual([...words]),
  );

  test("record fields; when this fails: node test/support/write-doc-tables.ts", () => {
    expect(tableUnder(page("records"), "record")).toEqual(recordFieldRows());
  });
});

describe("SECURITY.md's table of attacks", () => {
  const rows = tableUnder(readFileSync("SECURITY.md", "utf8"), "attack");
  const shownBy = (cell: string) =>
    [...cell.matchAll(/`(test\/[^`]+)` “([^”]+)”/g)].map(([, file, title]) => ({ file, title }));
  const isIn = ({ file = "", title = "" }: { file?: string | undefined; title?: string | undefined }) =>
    ['"', "'", "`"].some((quote) => readFileSync(file, "utf8").includes(`${quote}${title}${quote}`));

  test("names, for each attack, what stops it and a test by its title", () => {
    expect(rows.length).toBeGreaterThan(50);
    for (const [attack = "", defence = "", shown = ""] of rows) {
      expect({ attack, defence: defence !== "" }).toEqual({ attack, defence: true });
      // nothing stands there but tests with their titles
      expect({ attack, rest: shown.replace(/`test\/[^`]+` “[^”]+”(?:, )?/g, "") }).toEqual({ attack, rest: "" });
      expect({ attack, tests: shownBy(shown).length }).not.toEqual({ attack, tests: 0 });
    }
    expect(new Set(rows.map(([attack]) => attack)).size).toBe(rows.length);
  });

  test("names titles of tests that are there", () => {
    expect(rows.flatMap(([, , shown = ""]) => shownBy(shown)).filter((named) => !isIn(named))).toEqual([]);
  });
});

test("docs/configuration.md's two example files are valid, and say nothing that would warn", async () => {
  const [host = "", policy = ""] = codeBlocks(page("configuration"), "toml");
  expect((await readHostConfig(host, "/etc/nixgate/nixgate.toml")).problems).toEqual([]);
  const { ok, problems } = await readPolicy(policy, "/etc/nixgate/policies/alpha.toml");
  expect({ ok, problems }).toEqual({ ok: true, problems: [] });
});

const readme = readFileSync("README.md", "utf8");

test("README shows the two commands before anything else", () => {
  const [first = ""] = codeBlocks(readme, "sh");
  expect(first.split("\n").map((line) => line.split(" #")[0]?.trim())).toEqual(["npm run demo", "npm test", ""]);
});

test("README has at most 150 lines, and its map has every page of docs/", () => {
  expect(readme.trimEnd().split("\n").length).toBeLessThanOrEqual(150);
  const linked = [...readme.matchAll(/\]\(docs\/([^)#]+)\)/g)].map(([, name]) => name);
  expect(linked).toEqual(expect.arrayContaining(readdirSync("docs")));
});

test("README's policy is valid, and decides as README says", async () => {
  const [text = ""] = codeBlocks(readme, "toml");
  const read = await readPolicy(text, "/etc/nixgate/policies/alpha.toml");
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  expect(read.problems).toEqual([]);
  const kindOf = (request: string) =>
    decide(parseRequest(Buffer.from(request), 4096), read.value, { "nix-store": "/usr/bin/nix-store" }, "command").kind;
  expect(kindOf("nix-store --serve --write")).toBe("allow");
  expect(kindOf("cat /etc/passwd")).toBe("deny");
});

/** The anchors of a page's headings, as GitHub makes them. */
const anchorsOf = (text: string): readonly string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );

const pages = [
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "CHANGELOG.md",
  ...readdirSync("docs", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
];

describe.each(pages)("%s", (path) => {
  const text = readFileSync(path, "utf8");

  test("links to what is there", () => {
    const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, link]) =>
      normalize(join(dirname(path), link as string)),
    );
    expect(links.filter((link) => !existsSync(link))).toEqual([]);
  });

  test("links to headings that are there", () => {
    const links = [...text.matchAll(/\]\(([^)#:]*)#([^)]+)\)/g)].map(([, link = "", anchor = ""]) => ({
      page: link === "" ? path : normalize(join(dirname(path), link)),
      anchor,
    }));
    expect(links.filter(({ page, anchor }) => !anchorsOf(readFileSync(page, "utf8")).includes(anchor))).toEqual([]);
  });

  test("names tests and sources that are there", () => {
    const named = quoted(text).filter((word) => /^(?:src|test|bin|scripts)\/[\w./-]+$/.test(word));
    expect(named.filter((name) => !existsSync(name))).toEqual([]);
  });
});
