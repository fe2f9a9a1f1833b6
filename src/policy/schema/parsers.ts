import type { Checked, HostConfig, Policy } from "../policy.ts";
import { readHostConfig } from "../read-host-config.ts";
import { readPolicy } from "../read-policy.ts";

/** Parses a configuration file. @param path names it in problems */
export type Parse<T> = (text: string, path: string) => Promise<Checked<T>>;

export interface Parsers {
  readonly host: Parse<HostConfig>;
  readonly policy: Parse<Policy>;
}

export const PARSERS: Parsers = { host: readHostConfig, policy: readPolicy };

/**
 * Parsers for a process that serves many sessions. Each session reads the files, but an unchanged text is parsed only
 * once, and the sessions share the result. The parsers keep the last text of each path.
 */
export function parsersOfMany(parsers: Parsers = PARSERS): Parsers {
  return { host: lastOfEach(parsers.host), policy: lastOfEach(parsers.policy) };
}

function lastOfEach<T>(parse: Parse<T>): Parse<T> {
  const last = new Map<string, { readonly text: string; readonly result: Promise<Checked<T>> }>();
  return (text, path) => {
    const known = last.get(path);
    if (known?.text === text) return known.result;
    const result = parse(text, path);
    last.set(path, { text, result });
    return result;
  };
}
