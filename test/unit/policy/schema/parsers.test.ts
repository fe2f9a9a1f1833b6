import { expect, test } from "vitest";
import { PARSERS, parsersOfMany } from "../../../../src/policy/schema/parsers.ts";

const PATH = "/etc/nixgate/policies/alpha.toml";
const policyOf = (text: string) => `schema = 1\nteam = "alpha"\n${text}`;

test("a text that has not changed is parsed once, and one that has is parsed anew", async () => {
  let parsed = 0;
  const policy: typeof PARSERS.policy = (text, path) => {
    parsed += 1;
    return PARSERS.policy(text, path);
  };
  const parsers = parsersOfMany({ ...PARSERS, policy });
  const [first, same] = await Promise.all([parsers.policy(policyOf(""), PATH), parsers.policy(policyOf(""), PATH)]);
  expect(first.ok).toBe(true);
  expect(same).toBe(first);
  expect(parsed).toBe(1);
  const changed = await parsers.policy(policyOf('description = "changed"'), PATH);
  expect(changed).toMatchObject({ ok: true, value: { description: "changed" } });
  expect(await parsers.policy(policyOf(""), PATH)).toMatchObject({ ok: true, value: { description: "" } });
  expect(parsed).toBe(3);
});

test("the same text under another name is another policy, and one that is wrong stays wrong", async () => {
  const parsers = parsersOfMany();
  expect(await parsers.policy(policyOf(""), PATH)).toMatchObject({ ok: true });
  expect(await parsers.policy(policyOf(""), "/etc/nixgate/policies/beta.toml")).toMatchObject({ ok: false });
  for (const _time of [1, 2]) expect(await parsers.policy("team =", PATH)).toMatchObject({ ok: false });
});
