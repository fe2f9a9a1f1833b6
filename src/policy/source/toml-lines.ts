import type { AST } from "toml-eslint-parser";
import { ParseError, parseTOML } from "toml-eslint-parser";
import type { KeyPath } from "../problem.ts";
import type { Locate } from "./parsed.ts";

/**
 * The line of each key of a TOML file. smol-toml parsed the text before. Where the parser that knows lines refuses that
 * text, the problems are reported without lines.
 */
export async function tomlLines(text: string): Promise<Locate> {
  const program = tryParse(text);
  if (program === undefined) return () => undefined;
  const lines = new Map<string, number>();
  const note = (path: KeyPath, node: AST.TOMLNode): void => {
    // the first entry is the outermost: a table's header stands before its keys
    for (let length = 1; length <= path.length; length += 1) {
      const key = JSON.stringify(path.slice(0, length));
      if (!lines.has(key)) lines.set(key, node.loc.start.line);
    }
  };
  const enter = (path: KeyPath, node: AST.TOMLNode): void => {
    note(path, node);
    switch (node.type) {
      case "TOMLTopLevelTable":
      case "TOMLInlineTable":
      case "TOMLTable":
        for (const child of node.body) enter([...path, ...keysOf(child)], child);
        break;
      case "TOMLKeyValue":
        enter(path, node.value);
        break;
      case "TOMLArray":
        node.elements.forEach((element, index) => {
          enter([...path, index], element);
        });
        break;
      default:
    }
  };
  for (const table of program.body) enter([], table);
  return (at) => {
    for (let length = at.length; length > 0; length -= 1) {
      const line = lines.get(JSON.stringify(at.slice(0, length)));
      if (line !== undefined) return line;
    }
    return 1;
  };
}

function keysOf(node: AST.TOMLTable | AST.TOMLKeyValue): KeyPath {
  if (node.type === "TOMLTable") return node.resolvedKey;
  return node.key.keys.map((key) => (key.type === "TOMLBare" ? key.name : key.value));
}

function tryParse(text: string): AST.TOMLProgram | undefined {
  try {
    // smol-toml 1.9 accepts the additions of TOML 1.1, such as \x41
    return parseTOML(text, { tomlVersion: "1.1" });
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
