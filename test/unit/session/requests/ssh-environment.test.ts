import { expect, test } from "vitest";
import { connectionOf, requestOf } from "../../../../src/session/requests/ssh-environment.ts";

const environment = (values: Readonly<Record<string, string | Uint8Array>>) =>
  new Map(
    Object.entries(values).map(([name, value]) => [name, typeof value === "string" ? Buffer.from(value) : value]),
  );

test.each([
  ["none", {}, "loop"],
  ["an empty one", { SSH_ORIGINAL_COMMAND: "" }, "loop"],
  ["bash", { SSH_ORIGINAL_COMMAND: "bash" }, "loop"],
  ["sh", { SSH_ORIGINAL_COMMAND: "sh" }, "loop"],
  ["a blank behind it", { SSH_ORIGINAL_COMMAND: "sh " }, "command"],
  ["a path", { SSH_ORIGINAL_COMMAND: "/bin/sh" }, "command"],
  ["a byte order mark", { SSH_ORIGINAL_COMMAND: Uint8Array.of(0xef, 0xbb, 0xbf) }, "command"],
  ["bytes that are no text", { SSH_ORIGINAL_COMMAND: Uint8Array.of(0xff) }, "command"],
] as const)("a request: %s", (_, values, mode) => {
  expect(requestOf(environment(values)).mode).toBe(mode);
});

test.each([
  [
    { SSH_CONNECTION: "10.0.0.5 50022 10.0.0.1 22" },
    { client: { ip: "10.0.0.5", port: 50022 }, server: { ip: "10.0.0.1", port: 22 } },
  ],
  [
    { SSH_CONNECTION: "2001:db8::1%eth0 1 ::1 22" },
    { client: { ip: "2001:db8::1%eth0", port: 1 }, server: { ip: "::1", port: 22 } },
  ],
  [{ SSH_CLIENT: "10.0.0.5 50022 22" }, { client: { ip: "10.0.0.5", port: 50022 } }],
  [{ SSH_CONNECTION: "evil; 1 10.0.0.1 22" }, { server: { ip: "10.0.0.1", port: 22 } }],
  [{ SSH_CONNECTION: "10.0.0.5 many 10.0.0.1 22" }, { server: { ip: "10.0.0.1", port: 22 } }],
  // over AF_UNIX: systemd-ssh-generator(8)
  [{ SSH_CONNECTION: "UNKNOWN 65535 UNKNOWN 65535" }, {}],
  [{}, {}],
])("the ends of %j", (values, ends) => {
  expect(connectionOf(environment(values as Record<string, string>))).toEqual(ends);
});
