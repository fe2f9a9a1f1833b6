import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { hostSuite } from "./host.ts";

export const SUITES = ["trixie", "bookworm", "forky"] as const;
export type Suite = (typeof SUITES)[number];

/** These suites need no -updates and no -security: fixes arrive in the suite itself. */
const MOVING: readonly string[] = ["forky", "sid"];

/**
 * This machine's own apt sources of Debian, with its suite replaced by another, as deb822 text (sources.list(5)).
 * Third-party sources and source packages are left out.
 */
export function aptSources(suite: Suite, own = hostSuite(), texts = readSources()): string {
  const suffixes = MOVING.includes(suite) ? [""] : ["", "-updates", "-security"];
  const exchanged = new Map(suffixes.map((suffix) => [own + suffix, suite + suffix]));
  return texts
    .flatMap(parseSources)
    .filter((source) => source.components.includes("main"))
    .map((source) => ({ ...source, suites: source.suites.flatMap((name) => exchanged.get(name) ?? []) }))
    .filter((source) => source.suites.length > 0)
    .map(({ uris, suites, components, signedBy }) =>
      [
        "Types: deb",
        `URIs: ${uris.join(" ")}`,
        `Suites: ${suites.join(" ")}`,
        `Components: ${components.join(" ")}`,
        `Signed-By: ${signedBy ?? "/usr/share/keyrings/debian-archive-keyring.gpg"}`,
        "",
      ].join("\n"),
    )
    .join("\n");
}

interface Source {
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  readonly signedBy: string | undefined;
}

function readSources(): string[] {
  const folder = "/etc/apt/sources.list.d";
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  return ["/etc/apt/sources.list", ...names.map((name) => join(folder, name))]
    .filter((path) => /\.(list|sources)$/.test(path) && existsSync(path))
    .map((path) => readFileSync(path, "utf8"));
}

/** Parses both formats of sources.list(5). Each is recognised by a feature that only it has. */
function parseSources(text: string): Source[] {
  const plain = text.replace(/^\s*#.*\n?/gm, "");
  return /^Types:/m.test(plain) ? plain.split(/\n\s*\n/).flatMap(parseStanza) : plain.split("\n").flatMap(parseLine);
}

function parseStanza(stanza: string): Source[] {
  const value = (field: string) => new RegExp(`^${field}:[ \t]*(.*)$`, "mi").exec(stanza)?.[1]?.trim();
  const words = (field: string) => value(field)?.split(/\s+/) ?? [];
  if (!words("Types").includes("deb") || value("Enabled") === "no") return [];
  return [
    { uris: words("URIs"), suites: words("Suites"), components: words("Components"), signedBy: value("Signed-By") },
  ];
}

function parseLine(line: string): Source[] {
  const [, options = "", uri, suite, components] =
    /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.+)$/.exec(line.trim()) ?? [];
  if (uri === undefined || suite === undefined || components === undefined) return [];
  const signedBy = /signed-by=(\S+)/.exec(options)?.[1];
  return [{ uris: [uri], suites: [suite], components: components.trim().split(/\s+/), signedBy }];
}
