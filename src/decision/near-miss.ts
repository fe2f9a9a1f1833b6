import type { AllowRule, Policy } from "../policy/policy.ts";
import { ENDPOINTS, type EndpointName } from "../request/endpoints.ts";
import { fits, isPlaceholder, TAKES } from "../request/placeholders.ts";

/** The request that was probably meant, where no rule matches. */
export interface NearMiss {
  /** The rule that would allow it. */
  readonly rule: AllowRule;
  /** The request to make instead. Its words come from the policy and the endpoint, never from the client. */
  readonly message: string;
}

/**
 * Finds the nearest rule for words that match no endpoint and no rule. There are two kinds of near miss: an endpoint's
 * words with additions, in another order or without an option; and an exact request with another path.
 */
export function nearMiss(words: readonly string[], policy: Policy): NearMiss | undefined {
  return otherPath(words, policy) ?? otherWords(words, policy);
}

/** The near miss for a request with an endpoint's exact words where no rule lists that endpoint. */
export function notListed(asked: EndpointName, { allow }: Pick<Policy, "allow">): NearMiss | undefined {
  const listed = (name: EndpointName) => allow.find((other) => other.kind === "endpoint" && other.endpoint === name);
  const [reader, writer, daemon] = [listed("store-serve"), listed("store-serve-write"), listed("daemon-stdio")];
  if (asked === "store-serve" && writer) return { rule: writer, message: askFor("store-serve-write") };
  if (asked === "daemon-stdio" && writer) return { rule: writer, message: "this team may use ssh://, not ssh-ng://" };
  if (asked !== "daemon-stdio" && daemon) return { rule: daemon, message: "this team may use ssh-ng://, not ssh://" };
  if (asked !== "store-serve" && reader)
    return {
      rule: reader,
      message:
        'listed is store-serve, which no Nix since 2.0 asks for; the administrator can write endpoint = "store-serve-write" with read_only = true',
    };
  return undefined;
}

/** The near miss for an exact request in which only the words of placeholders differ. */
function otherPath(words: readonly string[], { allow }: Policy): NearMiss | undefined {
  for (const rule of allow) {
    if (rule.kind !== "custom" || rule.request.length !== words.length) continue;
    const others = rule.request.filter(
      (wanted, n) => !(isPlaceholder(wanted) ? fits(wanted, words[n] ?? "") : wanted === words[n]),
    );
    const [first = ""] = others;
    if (!others.every(isPlaceholder) || !isPlaceholder(first)) continue;
    return { rule, message: `${first} of ${rule.name} takes ${TAKES[first]}, and nothing else` };
  }
  return undefined;
}

/** The separators of a shell. A request that was meant for a shell is split roughly as a shell would split it. */
const BETWEEN = /[\s;&|()<>{}"'`\\]+/;

function otherWords(words: readonly string[], policy: Policy): NearMiss | undefined {
  const pieces = words.flatMap((word) => word.split(BETWEEN)).filter((piece) => piece !== "");
  const names = pieces.map((piece) => piece.slice(piece.lastIndexOf("/") + 1));
  const meant = whole(pieces, names, words) ?? inPart(pieces, names);
  if (!meant) return undefined;
  const rule = policy.allow.find((other) => other.kind === "endpoint" && other.endpoint === meant.endpoint);
  return rule ? { rule, message: askFor(meant.endpoint, meant.but) } : notListed(meant.endpoint, policy);
}

interface Meant {
  readonly endpoint: EndpointName;
  readonly but: string;
}

/** An endpoint's words one after the other, with other words around them. */
function whole(pieces: readonly string[], names: readonly string[], words: readonly string[]): Meant | undefined {
  for (const { name: endpoint, words: wanted } of ENDPOINTS) {
    const at = pieces.findIndex((_, start) =>
      wanted.every((word, n) => (n === 0 ? names[start] : pieces[start + n]) === word),
    );
    if (at < 0) continue;
    if (at > 0) return { endpoint, but: " without words before it" };
    const behind = pieces.length > wanted.length && words[0] === pieces[0];
    return { endpoint, but: behind ? " without words after it" : ", without quotes around it" };
  }
  return undefined;
}

/** An endpoint's program, where its words are in another order or incomplete. */
function inPart(pieces: readonly string[], names: readonly string[]): Meant | undefined {
  const behind = (program: string) => {
    const at = names.indexOf(program);
    return at < 0 ? undefined : pieces.slice(at + 1);
  };
  const inTheseWords = (endpoint: EndpointName): Meant => ({ endpoint, but: ", with these words in this order" });
  const store = behind("nix-store");
  if (store?.includes("--serve") || store?.includes("--write")) return inTheseWords("store-serve-write");
  const daemon = behind("nix-daemon");
  if (daemon?.includes("--stdio") || names[0] === "nix-daemon") return inTheseWords("daemon-stdio");
  return behind("nix")?.includes("daemon") ? inTheseWords("daemon-stdio") : undefined;
}

function askFor(name: EndpointName, but = ""): string {
  const words = ENDPOINTS.find((endpoint) => endpoint.name === name)?.words ?? [];
  return `ask for \`${words.join(" ")}\`${but}`;
}
