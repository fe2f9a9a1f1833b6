import { readFileSync } from "node:fs";

export interface Vector {
  readonly request: string;
  readonly decision: "allow" | "deny";
  /** The endpoint of what is allowed, the reason of what is denied; `-` for any. */
  readonly expected: string;
}

/** The request vectors: what real clients send, and what must be turned away. */
export const vectors: readonly Vector[] = readFileSync("test/fixtures/data/requests.tsv", "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => line.split("\t"))
  .map(([request = "", decision, expected = "-"]) => ({
    request: request.replace(/\\(?:[nrt]|u[0-9a-f]{4})/g, (sequence) => JSON.parse(`"${sequence}"`)),
    decision: decision as Vector["decision"],
    expected,
  }));
