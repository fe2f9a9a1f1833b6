import { expect, test } from "vitest";
import { clientRange } from "../../../src/archive/client-range.ts";

test.each([
  ["192.0.2.7", "192.0.2.7", true],
  ["192.0.2.7", "192.0.2.70", false],
  ["192.0.2.7", "::ffff:192.0.2.7", true],
  ["10.0.0.0/8", "10.255.255.255", true],
  ["10.0.0.0/8", "11.0.0.0", false],
  ["10.1.2.3/8", "10.9.9.9", true],
  ["0.0.0.0/0", "203.0.113.9", true],
  ["0.0.0.0/0", "2001:db8::1", false],
  ["2001:db8::/32", "2001:db8:ffff::1", true],
  ["2001:db8::/32", "2001:db9::1", false],
  ["2001:DB8:0:0::5", "2001:db8::5", true],
  ["fe80::/10", "fe80::1%eth0", true],
  ["fe80::1", "fe80::1%eth0", true],
  ["fe80::1%eth0", "fe80::1%eth0", true],
  ["FE80:0::1%eth0", "fe80::1%eth0", true],
  ["fe80::1%eth0", "fe80::1%eth1", false],
  ["fe80::1%eth0", "fe80::1", false],
  ["fe80::%eth0/10", "fe80::1%eth0", true],
  ["10.0.0.0/8", "builder.example", false],
  ["10.0.0.0/8", "", false],
])("%s has %s in it: %s", (range, ip, expected) => {
  const matches = clientRange(range);
  expect([matches?.(ip), matches?.(ip)]).toEqual([expected, expected]);
});

test.each([
  "",
  "10.0.0",
  "10.0.0.0/33",
  "10.0.0.0/-1",
  "10.0.0.0/8/8",
  "10.0.0.0/",
  "::/129",
  "builder",
  "fe80::1%",
  "fe80::1%eth0%eth1",
  "fe80::1/10%eth0",
  "192.0.2.7%eth0",
  "10.*",
])("%j is no range", (text) => expect(clientRange(text)).toBeUndefined());
