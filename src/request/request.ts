import type { Endpoint } from "./endpoints.ts";

/** A request that was parsed. The policy has not allowed it yet. */
export interface Request {
  readonly kind: "request";
  /** The request began with `exec `, so the session ends with it. */
  readonly exec: boolean;
  /** The words as sh would split them, without that `exec`. */
  readonly words: readonly string[];
  readonly asks: Asked;
}

export type Asked =
  | { readonly kind: "echo-started" }
  | { readonly kind: "endpoint"; readonly endpoint: Endpoint; readonly options: Options }
  | { readonly kind: "subsystem" }
  | { readonly kind: "other" };

/** The options after an endpoint's own words. */
export interface Options {
  readonly store: string | undefined;
  readonly processOps: boolean;
  /** The first word that is not expected. The expected order is `--store URI`, then `--process-ops`. */
  readonly unexpected: string | undefined;
  /**
   * The second reading of `--store` with several words: one URI with spaces. Undefined where a word has a quote or a
   * backslash. Nix sends the URI without quotes since 2.20; earlier versions quote it.
   */
  readonly unquoted: Unquoted | undefined;
}

export interface Unquoted {
  readonly store: string;
  readonly processOps: boolean;
}

export interface Refusal {
  readonly kind: "refusal";
  readonly reason: "malformed" | "too-long";
  /** Plain words in lower case, without the client's text. */
  readonly message: string;
}
