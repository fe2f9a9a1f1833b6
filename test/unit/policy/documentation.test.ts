import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type * as z from "zod/mini";
import { readHostConfig } from "../../../src/policy/read-host-config.ts";
import { readPolicy } from "../../../src/policy/read-policy.ts";
import { keyTypes } from "../../../src/policy/schema/field.ts";
import { HostFile } from "../../../src/policy/schema/host-schema.ts";
import { PolicyFile } from "../../../src/policy/schema/policy-schema.ts";
import { unwrap } from "../../../src/policy/schema/schema-findings.ts";
import { parseBytes } from "../../../src/units/bytes.ts";
import { parseDuration } from "../../../src/units/durations.ts";

type Inner = {
  shape?: Record<string, z.core.$ZodType>;
  element?: z.core.$ZodType;
  valueType?: z.core.$ZodType;
  innerType?: z.core.$ZodType;
};
const inner = (schema: z.core.$ZodType) => schema._zod.def as unknown as Inner;
const isOptional = (schema: z.core.$ZodType) => inner(schema).innerType !== undefined;

/** What the schema knows: key, type, whether it must be there. */
function keysOf(schema: z.core.$ZodType, prefix: string): { key: string; type: string; required: boolean }[] {
  return Object.entries(inner(unwrap(schema)).shape ?? {}).flatMap(([name, value]) => {
    const { shape, element, valueType } = inner(unwrap(value));
    const key = prefix + name;
    if (shape) return keysOf(value, `${key}.`);
    if (element && inner(unwrap(element)).shape) return keysOf(element, `${key}[].`);
    const type = element ? `list of ${typeOf(element)}` : valueType ? `table of ${typeOf(valueType)}` : typeOf(value);
    return [{ key, type, required: !isOptional(value) }];
  });
}
const typeOf = (schema: z.core.$ZodType) => keyTypes.get(unwrap(schema))?.type ?? "?";

function inItsUnit(type: string, text: string | number | boolean): unknown {
  if (type.startsWith("size")) return parseBytes(String(text), { zero: true });
  return type.startsWith("duration") ? parseDuration(String(text)) : text;
}

/** The rows of the table under a heading of docs/configuration.md. */
function rowsOf(heading: string): string[][] {
  const [, rest = ""] = readFileSync("docs/configuration.md", "utf8").split(`\n## ${heading}\n`);
  const section = rest.split("\n## ")[0] ?? "";
  return section
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

const FILES = [
  { heading: "nixgate.toml", schema: HostFile, read: () => readHostConfig("schema = 1", "nixgate.toml") },
  {
    heading: "policies/&lt;team&gt;.toml",
    schema: PolicyFile,
    read: () => readPolicy('schema = 1\nteam = "a"', "a.toml"),
  },
];

test.each(FILES)(
  "docs/configuration.md names every key of $heading with its type, and no other",
  ({ heading, schema }) => {
    const documented = rowsOf(heading).map(([key, type, fallback]) => `${key} ${type} ${fallback === "required"}`);
    expect(documented).toEqual(keysOf(schema, "").map(({ key, type, required }) => `\`${key}\` ${type} ${required}`));
  },
);

test.each(FILES)("the defaults in docs/configuration.md are those of $heading", async ({ heading, read }) => {
  const result = await read();
  const value = result.ok ? (result.value as unknown as Record<string, unknown>) : {};
  const camel = (text: string) => text.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const actual = (key: string) =>
    key.split(".").reduce<unknown>((at, part) => (at as Record<string, unknown>)?.[camel(part)], value);
  const scalar = rowsOf(heading).filter(([key = "", , fallback]) => !key.includes("[]") && fallback !== "required");
  expect(scalar.length).toBeGreaterThan(8);
  for (const [key = "", type = "", fallback = ""] of scalar) {
    const text =
      fallback === "none" ? undefined : (JSON.parse(fallback.replaceAll("`", "")) as string | number | boolean);
    const value = text === undefined ? undefined : inItsUnit(type, text);
    expect({ key, value: actual(key.replaceAll("`", "")) }).toEqual({ key, value });
  }
});
