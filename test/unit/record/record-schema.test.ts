import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { jsonSchema } from "../../../src/record/describe-fields.ts";
import { bodies, sessionLines } from "../../support/records.ts";

const published = JSON.parse(readFileSync("docs/record.schema.json", "utf8"));
const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
ajv.addVocabulary(["unit", "absent"]);
const validate = ajv.compile(published);

test("docs/record.schema.json is the code's; when this fails: node test/support/write-record-schema.ts", () => {
  expect(published).toEqual(JSON.parse(JSON.stringify(jsonSchema())));
});

test("the package ships it", () => {
  expect(JSON.parse(readFileSync("package.json", "utf8")).files).toContain("docs");
});

const records = sessionLines("2026-01-05T03:12:00Z", Object.values(bodies)).lines.map((line) => JSON.parse(line));

test.each(records.map((record) => [record.event, record]))("a real %s is valid", (_, record) => {
  expect([validate(record), validate.errors]).toEqual([true, null]);
  expect(validate({ ...record, of_a_later_version: 1 })).toBe(true);
});

test.each([
  ["without its time", { time: undefined }],
  ["of another event", { event: "session.pause" }],
  ["with a figure below zero", { seq: -1 }],
  ["with a hash that is none", { hash: "abc" }],
  ["with a session that is no UUIDv7", { session: "019ab000-0000-4000-8000-000000000001" }],
  ["of another version", { v: 2 }],
])("a record %s is not", (_, change) => {
  expect(validate(JSON.parse(JSON.stringify({ ...records[0], ...change })))).toBe(false);
});
