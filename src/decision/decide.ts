import type { AllowRule, EndpointRule, HostConfig, Policy } from "../policy/policy.ts";
import type { Endpoint } from "../request/endpoints.ts";
import { fillIn, type Matched, matchWords } from "../request/placeholders.ts";
import type { Options, Refusal, Request } from "../request/request.ts";
import type { Decision, Deny, DenyReason, Step } from "./decision.ts";
import { type NearMiss, nearMiss, notListed } from "./near-miss.ts";

/** The way in which the request came. nixgate answers `echo started` only in the loop. */
export type RequestMode = "command" | "loop";

/** Decides one request against a team's policy. The function is pure, and the default answer is deny. */
export function decide(
  request: Request | Refusal,
  policy: Policy,
  programs: HostConfig["programs"],
  mode: RequestMode,
): Decision {
  const trace: Step[] = [];
  const deny = (reason: DenyReason, message: string, rule: AllowRule | null = null): Deny => ({
    kind: "deny",
    rule,
    reason,
    message,
    trace,
  });

  if (request.kind === "refusal") return deny(request.reason, request.message);
  const { asks, exec } = request;

  if (asks.kind === "echo-started" && mode === "loop" && !exec) {
    trace.push({ looked: "echo started", found: "answered by nixgate itself" });
    return { kind: "answer", trace };
  }
  for (const rule of policy.allow) {
    if (rule.kind !== "custom") continue;
    const matched = matchWords(rule.request, request.words);
    trace.push({ looked: `${rule.name}: exact request`, found: matched ? sameWords(matched) : "other words" });
    if (matched)
      return { kind: "allow", rule, endpoint: "custom", argv: fillIn(rule.run, matched), matched, exec, trace };
  }
  if (asks.kind === "subsystem") return deny("subsystem", "subsystems such as sftp are not served here");
  const notOnTheList = (near: NearMiss | undefined, message: string) => {
    if (!near) return deny("not-allowlisted", message);
    trace.push({ looked: "the nearest rule", found: nameOf(near.rule) });
    return deny("not-allowlisted", `${message}: ${near.message}`, near.rule);
  };
  if (asks.kind !== "endpoint") {
    trace.push({ looked: "endpoints", found: "the words of none" });
    return notOnTheList(nearMiss(request.words, policy), UNLISTED);
  }

  const { endpoint, options } = asks;
  trace.push({ looked: "endpoints", found: `the words of ${endpoint.name}` });
  const rules = policy.allow.filter((rule) => rule.kind === "endpoint" && rule.endpoint === endpoint.name);
  if (options.unexpected !== undefined && !options.unexpected.startsWith("-") && !options.unquoted) {
    trace.push({ looked: "the words after it", found: "a word that is no option" });
    return notOnTheList(nearMiss(request.words, policy), UNLISTED);
  }
  let nearest: Deny | undefined;
  for (const rule of rules as EndpointRule[]) {
    const read = readFor(rule, options);
    const objection = optionsAgainst(rule, read);
    trace.push({ looked: `${rule.name}: endpoint ${rule.endpoint}`, found: objection?.message ?? "allowed" });
    if (objection) {
      nearest ??= deny(objection.reason, objection.message, rule);
      continue;
    }
    const program = programs[endpoint.program];
    if (program === undefined) return deny("not-allowlisted", `this host names no ${endpoint.program} program`, rule);
    return {
      kind: "allow",
      rule,
      endpoint: endpoint.name,
      argv: argvOf(program, endpoint, read, rule),
      matched: [],
      exec,
      trace,
    };
  }
  return nearest ?? notOnTheList(notListed(endpoint.name, policy), `this team's policy does not list ${endpoint.name}`);
}

const UNLISTED = "the request is not on this team's list";

const nameOf = (rule: AllowRule) =>
  rule.kind === "endpoint" ? `${rule.name}: endpoint ${rule.endpoint}` : `${rule.name}: ${rule.request.join(" ")}`;

/**
 * Several words after `--store` are one URI only where the rule lists exactly that URI. Otherwise the words stay as sh
 * splits them.
 */
function readFor(rule: EndpointRule, options: Options): Options {
  const { unquoted } = options;
  if (!unquoted || !rule.stores.includes(unquoted.store)) return options;
  return { ...unquoted, unexpected: undefined, unquoted: undefined };
}

function optionsAgainst(rule: EndpointRule, options: Options): { reason: DenyReason; message: string } | undefined {
  if (options.unexpected !== undefined && !options.unexpected.startsWith("-")) {
    const message = `the policy lists no such --store for ${rule.endpoint}; all words after it are read as one URI`;
    return { reason: "store-not-allowed", message };
  }
  if (options.unexpected !== undefined) {
    return { reason: "option-not-allowed", message: `${rule.endpoint} takes no such option here` };
  }
  if (options.store !== undefined && !rule.stores.includes(options.store)) {
    return { reason: "store-not-allowed", message: `the policy lists no such --store for ${rule.endpoint}` };
  }
  if (options.processOps && !rule.processOps) {
    return { reason: "option-not-allowed", message: `the policy does not allow --process-ops for ${rule.endpoint}` };
  }
  return undefined;
}

function argvOf(
  program: string,
  endpoint: Endpoint,
  options: Options,
  { readOnly }: EndpointRule,
): readonly [string, ...string[]] {
  const words = readOnly ? endpoint.arguments.filter((word) => word !== "--write") : endpoint.arguments;
  const argv: [string, ...string[]] = [program, ...words];
  if (options.store !== undefined) argv.push("--store", options.store);
  if (options.processOps) argv.push("--process-ops");
  return argv;
}

const sameWords = (matched: readonly Matched[]) =>
  ["the same words", ...matched.map(({ placeholder, word }) => `${placeholder} is ${word}`)].join(", ");
