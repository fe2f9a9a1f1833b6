import { expect, test } from "vitest";
import { append, openChain } from "../../../src/record/chain.ts";
import { describeFields, jsonSchema } from "../../../src/record/describe-fields.ts";
import { EVENTS } from "../../../src/record/vocabulary.ts";
import type { SessionId } from "../../../src/units/ids.ts";
import { BOOT, bodies } from "../../support/records.ts";

const fields = describeFields();
const identity = { session: "019ab000-0000-7000-8000-000000000001" as SessionId, team: "alpha", host: "b", boot: BOOT };

test("every field that a record has is described", () => {
  for (const body of Object.values(bodies)) {
    const record = JSON.parse(append(openChain(identity), 0, body).line);
    const described = fields.filter(({ event }) => event === "*" || event === body.event).map(({ field }) => field);
    expect(described).toEqual(expect.arrayContaining(Object.keys(record)));
  }
});

test("every event has its fields, and fields of fields are dotted", () => {
  expect([...new Set(fields.map(({ event }) => event))].sort()).toEqual(["*", ...EVENTS].sort());
  expect(fields.map(({ field }) => field)).toEqual(expect.arrayContaining(["client.ip", "usage.memory_peak_bytes"]));
});

test("unit, type and the meaning of absence stand beside a figure", () => {
  expect(fields.find(({ field }) => field === "usage.memory_peak_bytes")).toEqual({
    event: "command.end",
    field: "usage.memory_peak_bytes",
    type: "integer",
    unit: "bytes",
    description: "highest memory ever held",
    absent: "the kernel does not offer it, or it could not be read",
  });
  expect(fields.find(({ event, field }) => event === "command.deny" && field === "rule")?.type).toBe("string or null");
});

test("the JSON Schema comes from the same definition and carries the descriptions", () => {
  expect(JSON.stringify(jsonSchema())).toContain("highest memory ever held");
});

test("limits asked for and limits in force are told apart", () => {
  const words = ["limits.asked", "limits.applied"].map(
    (name) => fields.find(({ field }) => field === name)?.description,
  );
  expect(new Set(words).size).toBe(2);
});
