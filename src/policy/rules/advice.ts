import { basename } from "node:path";
import { isPlaceholder, PLACEHOLDERS } from "../../request/placeholders.ts";
import { nearest } from "../../units/nearest.ts";
import type { AllowRule, CustomRule, EndpointRule, Policy } from "../policy.ts";
import { type KeyPath, type PolicyFinding, warningAt } from "../problem.ts";
import { quoted } from "../schema/describe-value.ts";
import { buildAdvice } from "./build-rules.ts";

/** Programs that execute words of their arguments. */
const RUNNERS: ReadonlySet<string> = new Set(
  "bash chroot dash doas env ionice nice nix-shell nohup nsenter pkexec run0 setpriv setsid sh su sudo systemd-run timeout xargs".split(
    " ",
  ),
);
/** Subcommands of nix(1) that execute or evaluate their arguments. */
const NIX_RUNS: ReadonlySet<string> = new Set(["develop", "eval", "run", "shell"]);

/**
 * Rules that are valid and yet allow no request, or allow more than they seem to. They are only warnings for `nixgate
 * check`; a session does not look for them.
 */
export function adviceFindings(policy: Policy): readonly PolicyFinding[] {
  const { allow } = policy;
  const rules = allow.flatMap((rule, index) =>
    rule.kind === "custom" ? customAdvice(rule, ["allow", index]) : endpointAdvice(rule, allow, ["allow", index]),
  );
  return [...rules, ...buildAdvice(policy)];
}

/**
 * Warns of a policy that denies everything. This check is separate, because such a policy is normal while it is
 * written.
 */
export function emptyFindings({ allow }: Policy): readonly PolicyFinding[] {
  if (allow.length > 0) return [];
  const fix = 'add [[allow]], with endpoint = "daemon-stdio" or another';
  return [warningAt(["allow"], "is missing, so every request is denied", fix)];
}

function customAdvice({ request, run }: CustomRule, at: KeyPath): readonly PolicyFinding[] {
  const [first = ""] = request;
  const findings = [...request.flatMap((word, n) => wordAdvice(word, [...at, "request", n]))];
  if (first.includes(" "))
    findings.push(
      warningAt(
        [...at, "request", 0],
        `${quoted(first)} is one word with a space in it, and no client sends such a word`,
        `write ${JSON.stringify(first.split(" ").filter((word) => word !== ""))}`,
      ),
    );
  const braces = run.flatMap((word, n) => braceAdvice(word, [...at, "run", n]));
  return [...findings, ...braces, ...programAdvice(run, at)];
}

/** Warns of words that look like patterns and match only themselves. */
function wordAdvice(word: string, at: KeyPath): readonly PolicyFinding[] {
  const [live] = /[*$]/.exec(word) ?? [];
  if (live === undefined) return braceAdvice(word, at);
  const message = `the ${live} in ${quoted(word)} is an ordinary character and matches only itself`;
  return [warningAt(at, message, `write ${known()} for a path in the store; no other words stand for many`)];
}

function braceAdvice(word: string, at: KeyPath): readonly PolicyFinding[] {
  const [braces] = /\{[^{}]*\}/.exec(word) ?? [];
  if (braces === undefined || isPlaceholder(word)) return [];
  if (isPlaceholder(braces))
    return [warningAt(at, `${braces} is a placeholder only as a whole word`, "make it a word of its own")];
  const near = nearest(braces, PLACEHOLDERS);
  const message = `${quoted(braces)} has no meaning and matches only itself`;
  return [warningAt(at, message, near ? `write ${near}` : `the placeholders are ${known()}`)];
}

/** Programs that run as another account. They cannot work, because each command runs with no_new_privs (prctl(2)). */
export const CHANGE_ACCOUNT: ReadonlySet<string> = new Set("doas pkexec su sudo".split(" "));

const programAdvice = (run: CustomRule["run"], at: KeyPath): readonly PolicyFinding[] => {
  const runner = runnerAdvice(run, at);
  return runner.length > 0 ? runner : accountAdvice(run, at);
};

function accountAdvice([path]: CustomRule["run"], at: KeyPath): readonly PolicyFinding[] {
  const program = basename(path);
  const fix = "let a service of that account do the work, and run a client of that service";
  if (program === "run0")
    return [
      warningAt([...at, "run", 0], "run0 has systemd start a program outside of the command's scope and limits", fix),
    ];
  if (!CHANGE_ACCOUNT.has(program)) return [];
  const message = `${program} cannot become another account: commands get no new privileges`;
  return [warningAt([...at, "run", 0], message, fix)];
}

const known = () => PLACEHOLDERS.join(", ");

function runnerAdvice(run: CustomRule["run"], at: KeyPath): readonly PolicyFinding[] {
  const taken = run.find(isPlaceholder);
  const program = basename(run[0]);
  if (taken === undefined) return [];
  const verb = program === "nix" ? run.find((word) => NIX_RUNS.has(word)) : undefined;
  if (!RUNNERS.has(program) && verb === undefined) return [];
  const name = verb === undefined ? program : `nix ${verb}`;
  const message = `${name} may execute ${taken}, whose contents the client may have put into the store`;
  return [warningAt([...at, "run"], message, "write a program that only reads, builds or sends the path")];
}

function endpointAdvice(rule: EndpointRule, allow: readonly AllowRule[], at: KeyPath): readonly PolicyFinding[] {
  const stores = rule.stores.flatMap((store, n) => storeAdvice(store, [...at, "stores", n]));
  const lists = (name: EndpointRule["endpoint"]) =>
    allow.some((other) => other.kind === "endpoint" && other.endpoint === name);
  if (rule.endpoint !== "store-serve" || lists("store-serve-write")) return stores;
  const message = "no Nix since 2.0 asks for store-serve: it always asks for --serve --write";
  return [
    warningAt([...at, "endpoint"], message, 'write endpoint = "store-serve-write" with read_only = true'),
    ...stores,
  ];
}

/** Nix since 2.20 sends the value of --store unquoted, and nixgate interprets quotes and backslashes as sh does. */
function storeAdvice(store: string, at: KeyPath): readonly PolicyFinding[] {
  if (!/['"\\]| --process-ops$/.test(store)) return [];
  const message = `Nix since 2.20 cannot ask for ${quoted(store)}: it sends the URI without quotes, and nixgate then reads other words`;
  return [warningAt(at, message, "choose a folder without quotes and backslashes in its path")];
}
