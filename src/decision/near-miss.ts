import type { AllowRule, Policy } from "../policy/policy.ts";
import { ENDPOINTS, type EndpointName } from "../request/endpoints.ts";
import { fits, isPlaceholder, TAKES } from "../request/placeholders.ts";

/** What a request that no rule takes was probably meant to be. */
export interface NearMiss {
  /** The rule that would take it. */
  readonly rule: AllowRule;
  /** What to ask for instead, in the policy's words and the endpoint's alone, never the client's. */
  readonly message: string;
}

/**
 * The rule that came nearest to words that are none of an endpoint's and no rule's: the words of an endpoint with
 * something around them, in another order or without an option, or an exact request with another path in it.
 */
export function nearMiss(words: readonly string[], policy: Policy): NearMiss | undefined {
  return otherPath(words, policy) ?? otherWords(words, policy);
}

/** The endpoint's words were asked for as they are, and no rule lists it. */
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

/** An exact request in which only words of placeholders are others than the rule takes. */
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

/** What stands between words for a shell: a request that was meant for one is looked at as that would split it, roughly. */
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

/** An endpoint's words one behind the other, with something around them. */
function whole(pieces: readonly string[], names: readonly string[], words: readonly string[]): Meant | undefined {
  for (const { name: endpoint, words: wanted } of ENDPOINTS) {
    const at = pieces.findIndex((_, start) =>
      wanted.every((word, n) => (n === 0 ? names[start] : pieces[start + n]) === word),
    );
    if (at < 0) continue;
    if (at > 0) return { endpoint, but: " with nothing in front" };
    const behind = pieces.length > wanted.length && words[0] === pieces[0];
    return { endpoint, but: behind ? " with nothing behind it" : ", without quotes around it" };
  }
  return undefined;
}

/** An endpoint's program, with its words in another order or not all of them. */
function inPart(pieces: readonly string[], names: readonly string[]): Meant | undefined {
  const behind = (program: string) => {
    const at = names.indexOf(program);
    return at < 0 ? undefined : pieces.slice(at + 1);
  };
  const inTheseWords = (endpoint: EndpointName): Meant => ({ endpoint, but: ", in these words and this order" });
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
