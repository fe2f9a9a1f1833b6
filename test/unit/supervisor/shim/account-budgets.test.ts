import { expect, test } from "vitest";
import { type AccountBudgets, accountBudgets } from "../../../../src/supervisor/shim/account-budgets.ts";

const [ALPHA, BETA] = [1001, 1002];
const MIB = 2 ** 20;

function scene() {
  const clock = { at: 0 };
  const budgets: AccountBudgets = accountBudgets(() => clock.at);
  const spend = (looks: number, bytes = 0) => {
    for (let n = 0; n < looks; n += 1) budgets.spend(ALPHA, bytes);
  };
  return { clock, spend, isLeft: (uid = ALPHA) => budgets.isLeft(uid) };
}

test("an account has 1000 looks at once, then 100 a second, and another account its own", () => {
  const { clock, spend, isLeft } = scene();
  spend(999);
  expect(isLeft()).toBe(true);
  spend(1);
  expect([isLeft(), isLeft(BETA)]).toEqual([false, true]);
  clock.at += 1000;
  spend(99);
  expect(isLeft()).toBe(true);
  spend(1);
  expect(isLeft()).toBe(false);
});

test("an account has 16 MiB at once, then 2 MiB a second", () => {
  const { clock, spend, isLeft } = scene();
  spend(31, MIB / 2);
  expect(isLeft()).toBe(true);
  spend(1, MIB / 2);
  expect([isLeft(), isLeft(BETA)]).toEqual([false, true]);
  spend(1, 4 * MIB);
  clock.at += 2000;
  expect(isLeft()).toBe(false);
  clock.at += 1;
  expect(isLeft()).toBe(true);
});

test("a budget that was not used for long is no larger", () => {
  const { clock, spend, isLeft } = scene();
  clock.at += 86_400_000;
  spend(1000);
  expect(isLeft()).toBe(false);
});
