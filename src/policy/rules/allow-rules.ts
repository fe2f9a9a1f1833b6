import { matchEndpoint } from "../../request/endpoints.ts";
import { coversWords, isPlaceholder, PLACEHOLDERS } from "../../request/placeholders.ts";
import type { AllowRule } from "../policy.ts";
import { errorAt, type KeyPath, type PolicyFinding } from "../problem.ts";
import { quoted } from "../schema/describe-value.ts";
import { isPlainPath } from "../schema/field.ts";
import type { AllowEntry } from "../schema/policy-schema.ts";
import { environmentFindings } from "./environment-rules.ts";

/** Requests with a fixed meaning before any rule: the line loop, its prefix and its handshake. */
const RESERVED = /^(?:bash|sh|echo started|exec(?: .*)?)$/;

const PROGRAM_FIX = 'begin with a program\'s path, such as "/usr/bin/nix-store"';

/** The problems of each `[[allow]]` beyond the types of its keys. */
export function allowFindings(entries: readonly AllowEntry[]): readonly PolicyFinding[] {
  const each = entries.flatMap((entry, index) => {
    const at = ["allow", index];
    const form = entry.request ? customFindings(entry, at) : endpointFindings(entry, at);
    return [...form, ...environmentFindings(entry.environment ?? {}, [...at, "environment"])];
  });
  return [...each, ...neverAsked(entries)];
}

/** Entries after one that matches all of their requests. Another command would run than such an entry says. */
function neverAsked(entries: readonly AllowEntry[]): readonly PolicyFinding[] {
  return entries.flatMap((entry, index) => {
    const first = entries.findIndex((other) => takesAllOf(other, entry));
    if (first < 0 || first >= index) return [];
    const message = `allow[${first}] already takes every request of this one`;
    return [errorAt(["allow", index], message, "remove one of the two")];
  });
}

function takesAllOf(one: AllowEntry, other: AllowEntry): boolean {
  if (one.request || other.request)
    return one.request !== undefined && other.request !== undefined && coversWords(one.request, other.request);
  return (
    one.endpoint === other.endpoint &&
    (one.process_ops === true || other.process_ops !== true) &&
    (other.stores ?? []).every((store) => one.stores?.includes(store))
  );
}

/** The rule of an entry. Callers use it only for entries without findings. */
export function allowRule(entry: AllowEntry, index: number): AllowRule {
  const name = `allow[${index}]`;
  const environment = entry.environment ?? {};
  if (entry.endpoint) {
    const { endpoint, stores = [], process_ops: processOps = false, read_only: readOnly = false } = entry;
    return { kind: "endpoint", name, endpoint, stores, processOps, readOnly, environment };
  }
  const [program = "", ...rest] = entry.run ?? [];
  return { kind: "custom", name, request: entry.request ?? [], run: [program, ...rest], environment };
}

function endpointFindings(entry: AllowEntry, at: KeyPath): readonly PolicyFinding[] {
  if (!entry.endpoint) return [errorAt(at, "allows nothing", "add an endpoint, or request and run")];
  const misplaced = entry.run
    ? [
        errorAt(
          [...at, "run"],
          "cannot be combined with endpoint",
          "remove it; an endpoint runs the program of [programs]",
        ),
      ]
    : [];
  const pointless =
    entry.read_only !== undefined && entry.endpoint !== "store-serve-write"
      ? [errorAt([...at, "read_only"], `means nothing for ${entry.endpoint}`, 'write endpoint = "store-serve-write"')]
      : [];
  return [
    ...misplaced,
    ...pointless,
    ...twice(entry.stores ?? [], [...at, "stores"]),
    ...optionLike(entry.stores ?? [], [...at, "stores"]),
  ];
}

function customFindings(entry: AllowEntry, at: KeyPath): readonly PolicyFinding[] {
  const { request = [], run } = entry;
  const findings: PolicyFinding[] = [];
  const say = (key: string, message: string, fix: string) => findings.push(errorAt([...at, key], message, fix));
  for (const key of ["endpoint", "stores", "process_ops", "read_only"] as const)
    if (entry[key] !== undefined)
      say(key, "cannot be combined with request", "remove it, or write an [[allow]] of its own for it");
  const line = request.join(" ");
  if (request.length === 0) say("request", "has no words, so it would never match", "write the words of the request");
  if (RESERVED.test(line))
    say("request", `${quoted(line)} is nixgate's own line loop, so it would never match`, "remove the entry");
  if (matchEndpoint(request))
    // an exact rule for it would bypass [programs]
    say("request", `${quoted(line)} is an endpoint's request`, "write endpoint = instead of request and run");
  if (!run) say("run", "is missing", 'add it: what is executed for the request, such as ["/usr/bin/nix-store", "-r"]');
  else if (isPlaceholder(run[0] ?? ""))
    // any account that may write to the store chooses the contents of a store path
    say("run", `${run[0]} cannot be the program: the client would choose its contents`, PROGRAM_FIX);
  else if (!isPlainPath(run[0] ?? "")) say("run", `${quoted(run[0] ?? "")} is not a plain absolute path`, PROGRAM_FIX);
  if (isPlaceholder(request[0] ?? ""))
    say("request", `${request[0]} cannot be the first word`, "begin with the name of a program");
  if (run) findings.push(...placeholderFindings(request, run, [...at, "run"]));
  return findings;
}

/** Each placeholder must be unambiguous: `run` has none of a kind, or as many as `request`. */
function placeholderFindings(
  request: readonly string[],
  run: readonly string[],
  at: KeyPath,
): readonly PolicyFinding[] {
  const count = (words: readonly string[], kind: string) => words.filter((word) => word === kind).length;
  return PLACEHOLDERS.flatMap((kind) => {
    const [asked, used] = [count(request, kind), count(run.slice(1), kind)];
    if (used === 0 || used === asked) return [];
    const message = `has ${kind} ${times(used)}, and request has it ${times(asked)}`;
    return [errorAt(at, message, "use it the same number of times in both; they are matched in order")];
  });
}

const times = (count: number) => (count === 1 ? "once" : count === 0 ? "not at all" : `${count} times`);

/** Values that occur twice in a list. */
export function twice(values: readonly string[], at: KeyPath): readonly PolicyFinding[] {
  return values.flatMap((value, index) =>
    values.indexOf(value) < index
      ? [errorAt([...at, index], `${quoted(value)} occurs twice`, "remove one of the two")]
      : [],
  );
}

function optionLike(stores: readonly string[], at: KeyPath): readonly PolicyFinding[] {
  return stores.flatMap((store, index) =>
    store.startsWith("-")
      ? [errorAt([...at, index], `${quoted(store)} looks like an option`, "write a store's URI")]
      : [],
  );
}
