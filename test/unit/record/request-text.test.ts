import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { REQUEST_MAX_BYTES, requestText } from "../../../src/record/request-text.ts";

test.each([
  ["plain text", Buffer.from("nix-store --serve"), "nix-store --serve"],
  ["an escape sequence", Buffer.from("a\u001b[2J"), "a\\u{1b}[2J"],
  ["a newline", Buffer.from("a\nb"), "a\\u{a}b"],
  ["a bidi override", Buffer.from("a\u202eb"), "a\\u{202e}b"],
  ["bytes that are not UTF-8", Buffer.from([0x61, 0xff, 0xc3, 0x62]), "a\\x{ff}\\x{c3}b"],
  ["an overlong slash", Buffer.from([0xc0, 0xaf]), "\\x{c0}\\x{af}"],
  ["a surrogate in UTF-8", Buffer.from([0xed, 0xa0, 0x80]), "\\x{ed}\\x{a0}\\x{80}"],
  ["a character cut in the middle", Buffer.from([0x61, 0xe2, 0x82]), "a\\x{e2}\\x{82}"],
  ["letters of all lengths", Buffer.from("aé€😀"), "aé€😀"],
  ["nothing", Buffer.alloc(0), ""],
])("%s", (_, bytes, request) => {
  expect(requestText(bytes)).toEqual({ request, request_sha256: createHash("sha256").update(bytes).digest("hex") });
});

test.each([
  ["ASCII", "a", 1],
  ["two bytes a character", "é", 2],
  ["four bytes a character", "😀", 4],
  ["escapes", "\u001b", 6],
])("a long request of %s is cut at a whole unit, its digest is not", (_, unit, size) => {
  const bytes = Buffer.from(`x${unit.repeat(5000)}`);
  const { request, request_sha256 } = requestText(bytes);
  expect(Buffer.byteLength(request)).toBe(1 + Math.floor((REQUEST_MAX_BYTES - 1) / size) * size);
  expect(Buffer.from(request).toString()).toBe(request);
  expect(request_sha256).toBe(createHash("sha256").update(bytes).digest("hex"));
});
