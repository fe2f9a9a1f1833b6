import { expect, test } from "vitest";
import { decide } from "../../../src/decision/decide.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import { readPolicy } from "../../../src/policy/read-policy.ts";
import { parseRequest } from "../../../src/request/parse-request.ts";

const PROGRAMS = { "nix-store": "/opt/nix-store", "nix-daemon": "/opt/nix-daemon" };

async function policy(...rules: readonly string[]): Promise<Policy> {
  const text = `schema = 1\nteam = "alpha"\n${rules.map((rule) => `[[allow]]\n${rule}\n`).join("")}`;
  const read = await readPolicy(text, "policies/alpha.toml");
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.value;
}

async function decided(request: string, rules: readonly string[], programs: Partial<typeof PROGRAMS> = PROGRAMS) {
  const decision = decide(parseRequest(Buffer.from(request), 4096), await policy(...rules), programs, "command");
  return decision.kind === "allow"
    ? decision.argv.join(" ")
    : decision.kind === "deny"
      ? decision.reason
      : decision.kind;
}

const DAEMON = 'endpoint = "daemon-stdio"';
const STORE = 'stores = ["local?root=/srv/a"]';
const SPACE_URI = "local?root=/srv/my  own store";
const SPACES = `stores = ["${SPACE_URI}"]`;
const SERVE = 'endpoint = "store-serve-write"';

test.each([
  ["nix-daemon --stdio --process-ops", [`${DAEMON}\nprocess_ops = true`], "/opt/nix-daemon --stdio --process-ops"],
  ["nix-daemon --stdio --process-ops", [DAEMON], "option-not-allowed"],
  [
    "nix-daemon --stdio --store local?root=/srv/a --process-ops",
    [`${DAEMON}\n${STORE}\nprocess_ops = true`],
    "/opt/nix-daemon --stdio --store local?root=/srv/a --process-ops",
  ],
  ["nix-daemon --stdio --store local?root=/srv/a --process-ops", [`${DAEMON}\n${STORE}`], "option-not-allowed"],
  ["nix-daemon --stdio --store local?root=/srv/b", [`${DAEMON}\n${STORE}`], "store-not-allowed"],
  // a later rule for the same endpoint may allow what the first does not
  [
    "nix-daemon --stdio --store local?root=/srv/a",
    [DAEMON, `${DAEMON}\n${STORE}`],
    "/opt/nix-daemon --stdio --store local?root=/srv/a",
  ],
  // Nix since 2.20 sends a URI with spaces as it is: it is one word where exactly that is listed
  [
    "nix-daemon --stdio --store local?root=/srv/my  own store",
    [`${DAEMON}\n${SPACES}`],
    `/opt/nix-daemon --stdio --store ${SPACE_URI}`,
  ],
  [
    "nix-daemon --stdio --store 'local?root=/srv/my  own store'",
    [`${DAEMON}\n${SPACES}`],
    `/opt/nix-daemon --stdio --store ${SPACE_URI}`,
  ],
  ["nix-daemon --stdio --store local?root=/srv/my own store", [`${DAEMON}\n${SPACES}`], "store-not-allowed"],
  ["nix-daemon --stdio --store local?root=/srv/my  own store x", [`${DAEMON}\n${SPACES}`], "store-not-allowed"],
  ["nix-daemon --stdio --store local?root=/srv/my  own store ", [`${DAEMON}\n${SPACES}`], "store-not-allowed"],
  ["nix-daemon --stdio --store local?root=/srv/my  own 'store'", [`${DAEMON}\n${SPACES}`], "not-allowlisted"],
  ["nix-daemon --stdio --store local?root=/srv/a x", [`${DAEMON}\n${STORE}`], "store-not-allowed"],
  ["nix-daemon --stdio --store local?root=/srv/a; id", [`${DAEMON}\n${STORE}`], "store-not-allowed"],
  ["nix-daemon --stdio --store local?root=/srv/a --option x y", [`${DAEMON}\n${STORE}`], "option-not-allowed"],
  [
    "nix-daemon --stdio --store local?root=/srv/my  own store --process-ops",
    [`${DAEMON}\n${SPACES}`],
    "option-not-allowed",
  ],
  [
    "nix-daemon --stdio --store local?root=/srv/my  own store --process-ops",
    [`${DAEMON}\n${SPACES}\nprocess_ops = true`],
    `/opt/nix-daemon --stdio --store ${SPACE_URI} --process-ops`,
  ],
  ["nix-store --serve --write", [SERVE], "/opt/nix-store --serve --write"],
  ["nix-store --serve --write", [`${SERVE}\nread_only = true`], "/opt/nix-store --serve"],
  ["/any/where/nix-store --serve --write", [`${SERVE}\nread_only = true`], "/opt/nix-store --serve"],
  ["nix-store --serve", [`${SERVE}\nread_only = true`], "not-allowlisted"],
  ["nix-store --serve --write", ['endpoint = "store-serve"'], "not-allowlisted"],
  ["exec nix-daemon --stdio", [DAEMON], "/opt/nix-daemon --stdio"],
  ["nix-daemon --stdio", [], "not-allowlisted"],
])("%s by %j: %s", async (request, rules, expected) => {
  expect(await decided(request, rules)).toBe(expected);
});

test("an endpoint whose program the host does not name is not served", async () => {
  expect(await decided("nix-daemon --stdio", [DAEMON], {})).toBe("not-allowlisted");
});

test("a URI with spaces that is listed is handed over as one argument", async () => {
  const request = parseRequest(Buffer.from(`exec nix-daemon --stdio --store ${SPACE_URI}`), 4096);
  const decision = decide(request, await policy(`${DAEMON}\n${SPACES}`), PROGRAMS, "command");
  expect(decision).toMatchObject({ argv: ["/opt/nix-daemon", "--stdio", "--store", SPACE_URI] });
});
