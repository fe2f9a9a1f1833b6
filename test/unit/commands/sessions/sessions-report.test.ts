import { expect, test } from "vitest";
import { sessionsReport } from "../../../../src/commands/sessions/sessions-report.ts";
import { readPolicy } from "../../../../src/policy/read-policy.ts";
import { early, lost, oom, portsOf, running, texts } from "./sessions.fixture.ts";

const POLICY = `schema = 1\nteam = "beta"\n[[allow]]\nendpoint = "store-serve"\n[session]\nmax_concurrent = 2\n`;

async function reported(options: Record<string, string | boolean>, files: Record<string, string> = texts) {
  let page = "";
  const read = await readPolicy(POLICY, "/etc/nixgate/policies/beta.toml");
  if (!read.ok) throw new Error("the policy is to be sound");
  const output = () => ({
    write(text: string) {
      page += text;
      return true;
    },
    finish: () => undefined,
    abandon: () => undefined,
  });
  const policies = async () => [{ policy: read.value, sha256: "0".repeat(64) }];
  const ports = { ...portsOf(files), output, version: "0.1.0", policies };
  return { ...(await sessionsReport.run({ positionals: [], options }, ports)), page };
}

const partsOf = (page: string) => [...page.matchAll(/<article id="s-([^"]+)"/g)].map(([, session]) => session);

test.each<[Record<string, string | boolean>, string[]]>([
  [{}, [lost.session, running.session, oom.session, early.session]],
  [{ team: "alpha" }, [oom.session, early.session]],
  [{ cause: "oom" }, [oom.session]],
  [{ limit: "2" }, [lost.session, running.session]],
  [{ since: "2 hours ago" }, [lost.session, running.session]],
])("%o makes parts of the sessions that list would show, newest first", async (options, expected) => {
  expect(partsOf((await reported(options)).page)).toEqual(expected);
});

test("--json prints a summary if stdout is free for it", async () => {
  const { stdout } = await reported({ json: true, output: "/tmp/report.html", team: "alpha" });
  expect(JSON.parse(stdout ?? "")).toEqual({ output: "/tmp/report.html", sessions: 2, problems: 0 });
  await expect(reported({ json: true })).rejects.toThrow("--json is for a page or an export in a file");
});

test("the page has the filters, and the cap of today's policy", async () => {
  const { page, status, stderr } = await reported({ team: "beta", running: true, since: "2026-01-06T04:00:00Z" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(page).toContain("Only sessions that match <code>--team &quot;beta&quot; --running</code>");
  expect(page).toMatch(
    /<time datetime="2026-01-06T04:00:00\.000Z">[^<]*<\/time> to <time datetime="2026-01-06T06:00:00\.000Z">/,
  );
  expect(page).toContain("is 2 (dashed)");
});

test("a single moment shows the sessions that were there from start to end", async () => {
  const { page } = await reported({ since: "2026-01-05T03:12:02Z", until: "2026-01-05T03:12:02Z" });
  expect(partsOf(page)).toEqual([early.session]);
  expect(page).toContain("At most <strong>1</strong> at one time");
});

test("damage is reported on stderr and on the page", async () => {
  const { page, stderr } = await reported({}, { "alpha/2026-01-05": `{"torn\n${early.lines.join("")}` });
  expect(stderr).toMatch(/^\/log\/alpha\/2026-01-05\.jsonl:1: torn/);
  expect(page).toContain("<li><code>/log/alpha/2026-01-05.jsonl:1: torn");
  expect(partsOf(page)).toEqual([early.session]);
});

test("an archive without a session makes a page that says so", async () => {
  expect((await reported({}, {})).page).toContain("There is no session on record yet.");
});

test.each<[string[], Record<string, string>, string]>([
  [["x\u001b"], {}, "x\\u{1b}: sessions report takes options only"],
  [[], { since: "soon" }, "--since soon"],
])("%o %o is a usage error that names it", async (positionals, options, message) => {
  const ports = {
    ...portsOf(),
    output: () => expect.fail("nothing is to be opened"),
    version: "",
    policies: async () => [],
  };
  await expect(sessionsReport.run({ positionals, options }, ports)).rejects.toMatchObject({
    exitStatus: 64,
    message: expect.stringContaining(message),
  });
});
