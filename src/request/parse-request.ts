import { matchEndpoint } from "./endpoints.ts";
import type { Asked, Options, Refusal, Request, Unquoted } from "./request.ts";
import { tokenise } from "./tokenise.ts";

/** C0 with the tab and the line ends, DEL, C1. No client sends one, and a terminal or a log would interpret it. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
const SFTP_SERVER = /(?:^|\/)(?:sftp-server|internal-sftp)$/;

/**
 * Parses one request.
 * @param bytes the request exactly as the client sent it, without the line end
 * @param maxBytes `line_max_bytes`: a longer request is refused without parsing
 */
export function parseRequest(bytes: Uint8Array, maxBytes: number): Request | Refusal {
  if (bytes.length > maxBytes) return refuse("too-long", `the request is longer than ${maxBytes} bytes`);
  const text = decodeUtf8(bytes);
  if (text === undefined) return refuse("malformed", "the request is not valid UTF-8");
  if (CONTROL.test(text)) return refuse("malformed", "the request holds a control character");
  const tokens = tokenise(text);
  if (!tokens.ok) return refuse("malformed", `the request cannot be split into words: ${tokens.problem}`);
  if (tokens.words.length === 0) return refuse("malformed", "the request is empty");
  const exec = tokens.words[0] === "exec";
  const words = exec ? tokens.words.slice(1) : tokens.words;
  const asks = classify(words, text);
  if (asks.kind === "endpoint" && asks.options.store === "") {
    return refuse("malformed", "--store has no value");
  }
  return { kind: "request", exec, words, asks };
}

function refuse(reason: Refusal["reason"], message: string): Refusal {
  return { kind: "refusal", reason, message };
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function classify(words: readonly string[], text: string): Asked {
  if (words.length === 2 && words[0] === "echo" && words[1] === "started") return { kind: "echo-started" };
  if (SFTP_SERVER.test(words[0] ?? "")) return { kind: "subsystem" };
  const match = matchEndpoint(words);
  return match
    ? { kind: "endpoint", endpoint: match.endpoint, options: readOptions(match.rest, text) }
    : { kind: "other" };
}

function readOptions(words: readonly string[], text: string): Options {
  let rest = words;
  let store: string | undefined;
  if (rest[0] === "--store") {
    store = rest[1] ?? "";
    rest = rest.slice(2);
  }
  const processOps = rest[0] === "--process-ops";
  if (processOps) rest = rest.slice(1);
  const unquoted = store !== undefined && rest.length > 0 ? readUnquoted(text) : undefined;
  return { store, processOps, unexpected: rest[0], unquoted };
}

const STORE_OPTION = " --store ";
const PROCESS_OPS = " --process-ops";

/**
 * Without quotes and backslashes a text is the same as its words. So all text after the first `--store` can be
 * compared.
 */
function readUnquoted(text: string): Unquoted | undefined {
  if (/['"\\]/.test(text)) return undefined;
  const behind = text.slice(text.indexOf(STORE_OPTION) + STORE_OPTION.length);
  const processOps = behind.endsWith(PROCESS_OPS);
  return { store: processOps ? behind.slice(0, -PROCESS_OPS.length) : behind, processOps };
}
