import type { Endpoint } from "./endpoints.ts";

/** A request that could be read. What it asks for is not allowed yet: that is decided against the policy. */
export interface Request {
  readonly kind: "request";
  /** It began with `exec `: the session ends with it. */
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

/** What stands behind an endpoint's own words. */
export interface Options {
  readonly store: string | undefined;
  readonly processOps: boolean;
  /** The first word that has no place here, in this order: `--store URI`, `--process-ops`. */
  readonly unexpected: string | undefined;
  /**
   * Where words follow `--store` that no quote or backslash is among: the other way to read them, as one URI with spaces.
   * So Nix since 2.20 sends it; earlier ones put it in quotes.
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
  /** In plain words, lower case, without the client's text. */
  readonly message: string;
}
