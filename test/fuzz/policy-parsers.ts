import fc from "fast-check";
import { decide } from "../../src/decision/decide.ts";
import { readHostConfig } from "../../src/policy/read-host-config.ts";
import { readPolicy } from "../../src/policy/read-policy.ts";
import { parseRequest } from "../../src/request/parse-request.ts";
import { isSafe, must, type Parser, parser } from "./parser.ts";
import { anyBytes, anyText, mangled } from "./texts.ts";

const POLICY = `schema = 1
team = "alpha"
[[allow]]
endpoint = "store-serve-write"
[[allow]]
request = ["nix-store", "-r"]
run = ["/usr/bin/nix-store", "-r"]
[limits]
MemoryMax = "2G"
[session]
max_concurrent = 8
`;
const HOST = `schema = 1
[log]
directory = "/var/log/nixgate"
[admission]
min_free_log = "5%"
max_io_pressure = "60%"
min_free_store_inodes = "5%"
[programs]
nix-store = "/usr/bin/nix-store"
`;
const POLICY_JSON = JSON.stringify({
  schema: 1,
  team: "alpha",
  allow: [{ endpoint: "store-serve-write" }],
  session: { max_concurrent: 8 },
});

/** Policies, the host's configuration, and requests under a policy. */
export async function policyParsers(): Promise<readonly Parser[]> {
  const policy = await readPolicy(POLICY, "/etc/nixgate/policies/alpha.toml");
  const host = await readHostConfig(HOST, "/etc/nixgate/nixgate.toml");
  if (!policy.ok || !host.ok) throw new Error("the sound texts are not sound");
  const words = fc.constantFrom(
    "nix-store",
    "--serve",
    "--write",
    "-r",
    "exec",
    "'",
    '"',
    "\\",
    "$(x)",
    "--store",
    "/nix/store/",
  );
  const requests = fc.oneof(
    anyBytes,
    fc.array(fc.oneof(words, anyText), { maxLength: 6 }).map((some) => Buffer.from(some.join(" "))),
  );

  return [
    ...[
      ["policies in TOML", POLICY, "toml", readPolicy],
      ["policies in JSON", POLICY_JSON, "json", readPolicy],
      ["the host's configuration", HOST, "toml", readHostConfig],
    ].map(([name, sound, ending, read]) =>
      parser(name as string, 1, mangled(fc.constant(sound as string)), async (text) => {
        const checked = await (read as typeof readPolicy)(text, `/etc/nixgate/policies/alpha.${ending}`);
        must(checked.ok || checked.problems.length > 0, "neither a policy nor a problem");
        for (const { message } of checked.problems) isSafe(message);
      }),
    ),
    parser("requests", 15, requests, (bytes) => {
      const decision = decide(parseRequest(bytes, 4096), policy.value, host.value.programs, "command");
      if (decision.kind === "allow") must(decision.argv[0] === "/usr/bin/nix-store", "another program");
      else if (decision.kind === "deny") isSafe(decision.message);
    }),
  ];
}
