import type { AllowRule } from "../policy/policy.ts";
import type { EndpointName } from "../request/endpoints.ts";
import type { Matched } from "../request/placeholders.ts";

/** Why a request is denied; the words of the record's `reason`. */
export type DenyReason =
  | "not-allowlisted"
  | "malformed"
  | "too-long"
  | "store-not-allowed"
  | "option-not-allowed"
  | "subsystem";

/** One thing that was looked at on the way, in the order of looking. */
export interface Step {
  readonly looked: string;
  readonly found: string;
}

/** explain prints the very value that the session obeys. */
export type Decision = Allow | Answer | Deny;

export interface Allow {
  readonly kind: "allow";
  readonly rule: AllowRule;
  readonly endpoint: EndpointName | "custom";
  /** The pinned program and its arguments: absolute, no words of the client's but a listed store URI and `matched`. */
  readonly argv: readonly [string, ...string[]];
  /** The words that the rule's placeholders took, in the order of the request. */
  readonly matched: readonly Matched[];
  /** The session ends with this command. */
  readonly exec: boolean;
  readonly trace: readonly Step[];
}

/** `echo started` in the line loop: nixgate itself answers `started`. */
export interface Answer {
  readonly kind: "answer";
  readonly trace: readonly Step[];
}

export interface Deny {
  readonly kind: "deny";
  /** The rule that came nearest, where one did. */
  readonly rule: AllowRule | null;
  readonly reason: DenyReason;
  /** In plain words, lower case; what it quotes is the policy's, never the client's text. */
  readonly message: string;
  readonly trace: readonly Step[];
}
