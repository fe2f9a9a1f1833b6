import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { readHostConfig } from "../../src/policy/read-host-config.ts";
import { readPolicy } from "../../src/policy/read-policy.ts";
import { CAUSES, EVENTS, REASONS } from "../../src/record/vocabulary.ts";
import { ENDPOINTS } from "../../src/request/endpoints.ts";
import { ExitStatus } from "../../src/units/exit-status.ts";
import { allCommands, commandRows, commandNames as commands } from "../support/commands-table.ts";
import { codeBlocks, quoted, README, tableUnder } from "../support/markdown.ts";
import { recordFieldRows } from "../support/record-fields-table.ts";

const firstQuoted = (title: string) => tableUnder(README, title).map(([cell = ""]) => quoted(cell)[0]);
describe("README's tables are the code's", () => {
  test("commands", () => {
    const listed = firstQuoted("command").map((usage) => /^nixgate ([a-z-]+(?: [a-z]+)?)/.exec(usage ?? "")?.[1]);
    expect(commands.length).toBeGreaterThan(4);
    expect([...listed].sort()).toEqual([...commands].sort());
  });

  test("commands, as their own help says it; when this fails: node test/support/write-readme-tables.ts", async () => {
    expect((await allCommands()).map(({ name }) => name)).toEqual(commands);
    expect(tableUnder(README, "command")).toEqual(await commandRows());
  });

  test("no command that exists is called planned", () => {
    const planned = /^Planned, not there yet: ([\s\S]*?)\n\n/m.exec(README)?.[1] ?? "";
    const [alone = "", ofSessions = ""] = planned.split(" and `sessions ");
    const names = [...quoted(alone), ...quoted(`\`${ofSessions}`).map((name) => `sessions ${name}`)];
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => commands.includes(name))).toEqual([]);
  });

  test("endpoints, with their words and what they run", () => {
    const rows = tableUnder(README, "endpoint").map((cells) => cells.map(quoted));
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
    const [, ...statuses] = tableUnder(README, "status").map(([cell]) => Number(cell));
    const { ok: _, ...own } = ExitStatus;
    expect(statuses).toEqual(Object.values(own));
  });

  test.each([
    ["event", EVENTS],
    ["reason", REASONS],
    ["cause", CAUSES],
  ])("every %s, in the code's order", (title, words) => expect(firstQuoted(title)).toEqual([...words]));

  test("record fields; when this fails: node test/support/write-readme-tables.ts", () => {
    expect(tableUnder(README, "record")).toEqual(recordFieldRows());
  });
});

test("README's two example files are valid, and say nothing that would warn", async () => {
  const [host = "", policy = ""] = codeBlocks(README, "toml");
  expect((await readHostConfig(host, "/etc/nixgate/nixgate.toml")).problems).toEqual([]);
  const { ok, problems } = await readPolicy(policy, "/etc/nixgate/policies/alpha.toml");
  expect({ ok, problems }).toEqual({ ok: true, problems: [] });
});

test("README shows the two commands before anything else", () => {
  const [first = ""] = codeBlocks(README, "sh");
  expect(first.split("\n").map((line) => line.split(" #")[0]?.trim())).toEqual(["npm run demo", "npm test", ""]);
});

const pages = [
  "README.md",
  "SECURITY.md",
  "CHANGELOG.md",
  ...readdirSync("docs", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
];

describe.each(pages)("%s", (page) => {
  const text = readFileSync(page, "utf8");

  test("links to what is there", () => {
    const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, path]) =>
      normalize(join(dirname(page), path as string)),
    );
    expect(links.filter((path) => !existsSync(path))).toEqual([]);
  });

  test("names tests and sources that are there", () => {
    const named = quoted(text).filter((word) => /^(?:src|test|bin|scripts)\/[\w./-]+$/.test(word));
    expect(named.filter((path) => !existsSync(path))).toEqual([]);
  });
});
