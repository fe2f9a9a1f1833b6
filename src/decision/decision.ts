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

/** One step of the decision, in the order of checking. */
export interface Step {
  readonly looked: string;
  readonly found: string;
}

/** The decision on a request. explain prints the same value that the session obeys. */
export type Decision = Allow | Answer | Deny;

export interface Allow {
  readonly kind: "allow";
  readonly rule: AllowRule;
  readonly endpoint: EndpointName | "custom";
  /**
   * The pinned absolute path of the program, and its arguments. The client's only words in it are a listed store URI
   * and `matched`.
   */
  readonly argv: readonly [string, ...string[]];
  /** The words that matched the rule's placeholders, in the order of the request. */
  readonly matched: readonly Matched[];
  /** The session ends with this command. */
  readonly exec: boolean;
  readonly trace: readonly Step[];
}

/** nixgate itself answers `echo started` in the loop with `started`. */
export interface Answer {
  readonly kind: "answer";
  readonly trace: readonly Step[];
}

export interface Deny {
  readonly kind: "deny";
  /** The nearest rule, where there is one. */
  readonly rule: AllowRule | null;
  readonly reason: DenyReason;
  /** Plain words in lower case. Quotations come from the policy, never from the client's text. */
  readonly message: string;
  readonly trace: readonly Step[];
}
