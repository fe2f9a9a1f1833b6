import type { Command } from "../../cli/command.ts";
import { durationOption, optionsOnly, textOption } from "../../cli/options.ts";
import type { Policy } from "../../policy/policy.ts";
import { SUMMARIES } from "../shared/archive-options.ts";
import { jsonDocument } from "../shared/json-document.ts";
import { alignedTable } from "../shared/table.ts";
import { openSummaries } from "./every-session.ts";
import { type KnownKey, knownKeys } from "./known-keys.ts";
import { DENIED_HELP, type SessionsPorts } from "./sessions-ports.ts";

export interface SessionsKeysPorts extends SessionsPorts {
  /** The policies of the configuration folder that can be read. */
  policies(configDirectory: string | undefined): Promise<readonly { readonly policy: Policy }[]>;
}

export const sessionsKeys: Command<SessionsKeysPorts> = {
  name: "sessions keys",
  summary: "list every key, and when it was last used",
  usage: `[--unused TIME] [--team T] [--json] ${SUMMARIES.usage}`,
  help: `Lists every key of the policies with the sessions that it had on record, refused ones included. Then it lists the keys that only
the records have. The STATE of a key is:

  listed             a policy lists it
  certificate        it came with a certificate, for a member with principals
  unlisted           no policy lists it any more

  --unused TIME      only keys that were not seen for this time, such as 90d, or never
  --team T           only the keys of this team
  --json             one JSON document: {"keys": [{"team", "member", "key", "state", "until", "first", "last", "sessions",
                     "addresses"}], "more"}; a value that is not known is absent. more: sessions with further keys
${SUMMARIES.help}

The policies are those of --config-dir, by default /etc/nixgate; a policy with an error counts as none. A session has a key on record
where the forced command names it (--key), or sshd has ExposeAuthInfo.
Exit status: 0, 64 for a wrong option, ${DENIED_HELP}, 74 where the records cannot be read.
`,
  options: {
    ...SUMMARIES.options,
    unused: { type: "string" },
    team: { type: "string" },
    json: { type: "boolean" },
  },
  async run({ options, positionals }, ports) {
    optionsOnly("sessions keys", positionals);
    const unused = durationOption(options, "unused");
    const before = unused === undefined ? undefined : ports.now() - unused;
    const team = textOption(options, "team");
    const policies = (await ports.policies(textOption(options, "config-dir"))).map(({ policy }) => policy);
    const known = knownKeys(policies.filter((policy) => team === undefined || policy.team === team));
    const { files, matching, problems } = await openSummaries(options, ports);
    for (const summary of matching(files)) known.add(summary);
    const { keys, more } = known.result();
    const shown = keys.filter(({ last }) => before === undefined || last === undefined || Date.parse(last) < before);
    const stdout = options["json"] === true ? jsonDocument({ keys: shown, more }) : asTable(shown, more);
    return { status: problems.status(), stdout, stderr: problems.text() };
  },
};

const TITLES = ["TEAM", "MEMBER", "KEY", "STATE", "UNTIL", "FIRST", "LAST", "SESSIONS", "ADDRESSES"];
/** The number of addresses of a key in a table. */
const SHOWN_ADDRESSES = 3;

function asTable(keys: readonly KnownKey[], more: number): string {
  const rest = more === 0 ? "" : `and ${more} sessions with further keys\n`;
  return (keys.length === 0 ? "no key\n" : alignedTable(TITLES, keys.map(rowOf))) + rest;
}

function rowOf({ team, member, key, state, until, first, last, sessions, addresses }: KnownKey): readonly string[] {
  const day = (time: string | undefined) => time?.slice(0, 10) ?? "never";
  const end = until === undefined ? "-" : day(until);
  const others = addresses.length - SHOWN_ADDRESSES;
  const from = [...addresses.slice(0, SHOWN_ADDRESSES), ...(others > 0 ? [`+${others}`] : [])].join(" ");
  return [team, member ?? "-", key, state, end, day(first), day(last), String(sessions), from || "-"];
}
