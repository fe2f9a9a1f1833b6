/**
 * The requests with a fixed word list that a policy can allow. nixgate itself answers `echo started`, so no policy
 * lists it.
 */
export const ENDPOINT_NAMES = ["store-serve", "store-serve-write", "daemon-stdio"] as const;
export type EndpointName = (typeof ENDPOINT_NAMES)[number];

/** The programs of `[programs]` in nixgate.toml. An endpoint always runs one of these. */
export const PROGRAM_NAMES = ["nix-store", "nix-daemon"] as const;
export type ProgramName = (typeof PROGRAM_NAMES)[number];

export interface Endpoint {
  readonly name: EndpointName;
  /** The request's words: the program's name, then its arguments. */
  readonly words: readonly string[];
  readonly program: ProgramName;
  /** The arguments after the pinned program. */
  readonly arguments: readonly string[];
}

/** A longer word list stands before its own prefix, because the first match wins. */
export const ENDPOINTS: readonly Endpoint[] = [
  endpoint("store-serve-write", ["nix-store", "--serve", "--write"], "nix-store", ["--serve", "--write"]),
  endpoint("store-serve", ["nix-store", "--serve"], "nix-store", ["--serve"]),
  endpoint("daemon-stdio", ["nix-daemon", "--stdio"], "nix-daemon", ["--stdio"]),
  // From Nix 2.20 on remote-program may be several words; `nix daemon` is the new command line's name for nix-daemon.
  endpoint("daemon-stdio", ["nix", "daemon", "--stdio"], "nix-daemon", ["--stdio"]),
];

function endpoint(name: EndpointName, words: string[], program: ProgramName, args: string[]): Endpoint {
  return { name, words, program, arguments: args };
}

/** An absolute path without empty, `.` or `..` parts and without a slash at its end. */
const PLAIN_ABSOLUTE_PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[^/]+)+$/;

/** The endpoint whose words start the request, and the words after them. */
export function matchEndpoint(words: readonly string[]): { endpoint: Endpoint; rest: readonly string[] } | undefined {
  const [first = "", ...others] = words;
  // Clients set `remote-program` to a path. Its last part selects the endpoint; nixgate never executes the path itself.
  const program = PLAIN_ABSOLUTE_PATH.test(first) ? first.slice(first.lastIndexOf("/") + 1) : first;
  const named = [program, ...others];
  const found = ENDPOINTS.find((candidate) => candidate.words.every((word, index) => named[index] === word));
  return found && { endpoint: found, rest: named.slice(found.words.length) };
}

/** The program of `[programs]` that an endpoint runs. */
export function programOf(name: EndpointName): ProgramName {
  const found = ENDPOINTS.find((candidate) => candidate.name === name);
  if (!found) throw new TypeError(`no endpoint ${name}`);
  return found.program;
}
