import { expect, test } from "vitest";
import { parseRequest } from "../../../src/request/parse-request.ts";

const parse = (text: string | Uint8Array, max = 4096) =>
  parseRequest(typeof text === "string" ? new TextEncoder().encode(text) : text, max);

test.each([
  ["a NUL", "nix-daemon\0 --stdio"],
  ["a vertical tab", "nix-daemon\v--stdio"],
  ["a form feed", "nix-daemon\f--stdio"],
  ["DEL", "nix-daemon --stdio\u007f"],
  ["a C1 control", "nix-daemon --stdio\u009b2J"],
  ["nothing", ""],
  ["blanks", "   "],
])("a request of %s is malformed", (_, text) => {
  expect(parse(text)).toMatchObject({ kind: "refusal", reason: "malformed" });
});

test.each([
  ["a lone continuation byte", [0x6e, 0x80]],
  ["an overlong slash", [0xc0, 0xaf]],
  ["a surrogate", [0xed, 0xa0, 0x80]],
  ["a cut sequence", [0x6e, 0xe2, 0x82]],
])("a request with %s is malformed", (_, bytes) => {
  expect(parse(Uint8Array.from(bytes))).toMatchObject({ kind: "refusal", reason: "malformed" });
});

test("a request may be as long as line_max_bytes, and not one byte longer", () => {
  expect(parse("x".repeat(4096)).kind).toBe("request");
  expect(parse("x".repeat(4097))).toMatchObject({ kind: "refusal", reason: "too-long" });
});

test("exec is taken off once", () => {
  expect(parse("exec nix-daemon --stdio")).toMatchObject({ exec: true, words: ["nix-daemon", "--stdio"] });
  expect(parse("exec exec nix-daemon --stdio")).toMatchObject({ exec: true, asks: { kind: "other" } });
  expect(parse("exec")).toMatchObject({ exec: true, words: [], asks: { kind: "other" } });
  expect(parse("  exec   nix-daemon   --stdio ")).toMatchObject({ exec: true, asks: { kind: "endpoint" } });
});

test.each([
  ["nix-daemon --stdio --store x --process-ops", { store: "x", processOps: true, unexpected: undefined }],
  ["nix-daemon --stdio --process-ops --store x", { store: undefined, processOps: true, unexpected: "--store" }],
  ["nix-daemon --stdio --store=x", { store: undefined, processOps: false, unexpected: "--store=x" }],
  ["nix-daemon --stdio --store x --store x", { store: "x", processOps: false, unexpected: "--store" }],
  ["nix-daemon --stdio --store 'a b'", { store: "a b", processOps: false, unexpected: undefined }],
  ["nix-daemon --stdio --store 'a'\\''b'", { store: "a'b", processOps: false, unexpected: undefined }],
])("%s: options in their one order", (text, options) => {
  expect(parse(text)).toMatchObject({ asks: { kind: "endpoint", options } });
});

test.each([
  ["x y", { store: "x y", processOps: false }],
  ["x  y ", { store: "x  y ", processOps: false }],
  ["x --store y", { store: "x --store y", processOps: false }],
  ["x y --process-ops", { store: "x y", processOps: true }],
  ["x --process-ops y", { store: "x --process-ops y", processOps: false }],
  ["x", undefined],
  ["x --process-ops", undefined],
  ["'x' y", undefined],
  ['x "y"', undefined],
  ["x y\\ z", undefined],
])("words behind --store that are not quoted can be read as one URI: %s", (value, unquoted) => {
  const request = parse(`exec /any/nix-daemon  --stdio --store ${value}`);
  expect(request).toMatchObject({ asks: { kind: "endpoint" } });
  expect(request.kind === "request" && request.asks.kind === "endpoint" && request.asks.options.unquoted).toEqual(
    unquoted,
  );
});

test.each([
  "/usr/bin/../bin/nix-daemon",
  "//nix-daemon",
  "/usr//bin/nix-daemon",
  "/./nix-daemon",
  "bin/nix-daemon",
  "/",
])("%s is no path that selects an endpoint", (path) => {
  expect(parse(`${path} --stdio`)).toMatchObject({ asks: { kind: "other" } });
});

test.each(["/usr/lib/openssh/sftp-server", "internal-sftp", "sftp-server -l INFO"])("%s is a subsystem", (text) => {
  expect(parse(text)).toMatchObject({ asks: { kind: "subsystem" } });
});
