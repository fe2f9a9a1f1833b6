/** What a client may ask for by a fixed word list; `echo-started` is nixgate's own and never listed in a policy. */
export const ENDPOINT_NAMES = ["store-serve", "store-serve-write", "daemon-stdio"] as const;
export type EndpointName = (typeof ENDPOINT_NAMES)[number];

/** The programs of `[programs]` in nixgate.toml: what an endpoint runs is always one of these. */
export const PROGRAM_NAMES = ["nix-store", "nix-daemon"] as const;
export type ProgramName = (typeof PROGRAM_NAMES)[number];
