import type { Parsed } from "./parsed.ts";

const DEEPEST = 16;

/**
 * Parses strict JSON (RFC 8259), without comments and trailing commas. A key that is twice in a table is an error,
 * because JSON.parse would keep the last one without a message. JSON.parse gives the values, and makes `__proto__` a
 * plain key.
 */
export async function parseJson(text: string): Promise<Parsed> {
  const { jsonComplaint } = await import("./json-lines.ts");
  try {
    const data: unknown = JSON.parse(text);
    if (isDeeper(data, DEEPEST)) return refuse("nested deeper than any configuration is", "remove the inner tables");
    const complaint = await jsonComplaint(text);
    return complaint ?? { ok: true, data };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return (
      (await jsonComplaint(text)) ?? refuse("not JSON", "correct the file; comments and trailing commas are TOML's")
    );
  }
}

function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return depth === 0 || Object.values(value).some((inner) => isDeeper(inner, depth - 1));
}

const refuse = (message: string, fix: string): Parsed => ({ ok: false, line: undefined, message, fix });
