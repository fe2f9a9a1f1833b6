import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { quoted } from "../schema/describe-value.ts";
import type { Locate, Parsed } from "./parsed.ts";

const STRICT = { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false };

/** The first error of strict JSON, with its line; undefined where there is none. */
export async function jsonComplaint(text: string): Promise<Extract<Parsed, { ok: false }> | undefined> {
  const errors: ParseError[] = [];
  const tree = tryTree(text, errors);
  if (tree === "too-deep")
    return {
      ok: false,
      line: undefined,
      message: "nested deeper than any configuration is",
      fix: "remove the inner tables",
    };
  const [error] = errors;
  if (error) {
    const complaint = printParseErrorCode(error.error)
      .replace(/(?!^)[A-Z]/g, (letter) => ` ${letter}`)
      .toLowerCase();
    const fix = "correct the line; JSON has no comments and no comma after the last value";
    return { ok: false, line: lineOf(text, error.offset), message: `not JSON: ${complaint}`, fix };
  }
  const twice = tree && duplicateKey(tree);
  if (!twice) return undefined;
  const message = `the key ${quoted(String(twice.value))} occurs twice`;
  return { ok: false, line: lineOf(text, twice.offset), message, fix: "keep one of the two" };
}

/** The line of each key of a JSON file. The text must parse. */
export async function jsonLines(text: string): Promise<Locate> {
  const tree = parseTree(text);
  return (at) => {
    for (let length = at.length; tree && length > 0; length -= 1) {
      const node = findNodeAtLocation(tree, [...at.slice(0, length)]);
      if (node) return lineOf(text, (node.parent?.type === "property" ? node.parent : node).offset);
    }
    return 1;
  };
}

function tryTree(text: string, errors: ParseError[]): Node | undefined | "too-deep" {
  try {
    return parseTree(text, errors, STRICT);
  } catch (error) {
    if (error instanceof RangeError) return "too-deep"; // the parser recurses once for each level
    throw error;
  }
}

function duplicateKey(node: Node): Node | undefined {
  const seen = new Set<unknown>();
  for (const child of node.children ?? []) {
    const [key] = node.type === "object" ? (child.children ?? []) : [];
    if (key && seen.has(key.value)) return key;
    if (key) seen.add(key.value);
    const inner = duplicateKey(child);
    if (inner) return inner;
  }
  return undefined;
}

const lineOf = (text: string, offset: number): number => text.slice(0, offset).split("\n").length;
