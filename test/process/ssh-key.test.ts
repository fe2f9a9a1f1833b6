import { join } from "node:path";
import { expect, test } from "vitest";
import { certifiedType, fingerprintOf, KEY_TYPES, readCertificate } from "../../src/units/ssh-key.ts";
import { makeCa, makeKey, printedFingerprint } from "../support/certificates.ts";
import { temporaryFolder } from "../support/temporary.ts";

const folder = temporaryFolder("keys");
const ca = makeCa(folder);

test.each([
  ["ed25519", undefined, "ssh-ed25519"],
  ["rsa", 2048, "ssh-rsa"],
  ["ecdsa", 256, "ecdsa-sha2-nistp256"],
  ["ecdsa", 384, "ecdsa-sha2-nistp384"],
  ["ecdsa", 521, "ecdsa-sha2-nistp521"],
] as const)("reads what ssh-keygen signs: %s %s", (kind, bits, type) => {
  const key = join(folder, `${kind}${bits}`);
  const [, plain = ""] = makeKey(key, kind, bits).split(" ");
  const options = ["source-address=192.0.2.0/24", "force-command=nix-store --serve"];
  const signed = { principals: ["ci-alpha", "ci"], serial: 2n ** 64n - 1n, id: "run 7 of ada", options };
  const bytes = Buffer.from(ca.sign(key, { ...signed, valid: "20300101000000Z:20300102000000Z" }), "base64");
  expect(readCertificate(bytes)).toEqual({
    type,
    fingerprint: printedFingerprint(`${key}-cert.pub`),
    id: "run 7 of ada",
    serial: 2n ** 64n - 1n,
    ca: ca.fingerprint,
    principals: ["ci-alpha", "ci"],
    validBefore: BigInt(Date.parse("2030-01-02T00:00:00Z") / 1000),
  });
  expect(fingerprintOf(Buffer.from(plain, "base64"))).toBe(printedFingerprint(`${key}.pub`));
  for (let length = 0; length < bytes.length; length += 1)
    expect(readCertificate(bytes.subarray(0, length)), `${length} bytes`).toBeUndefined();
  expect(readCertificate(Buffer.concat([bytes, Buffer.of(0)]))).toBeUndefined();
});

test("every type of key has a type of certificate, by sshd's own names", () => {
  expect(KEY_TYPES.map((type) => [...sshdNames].find((name) => certifiedType(name) === type))).toEqual([
    "ssh-ed25519-cert-v01@openssh.com",
    "sk-ssh-ed25519-cert-v01@openssh.com",
    "ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "ecdsa-sha2-nistp384-cert-v01@openssh.com",
    "ecdsa-sha2-nistp521-cert-v01@openssh.com",
    "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "ssh-rsa-cert-v01@openssh.com",
  ]);
  expect(certifiedType("ssh-ed25519")).toBeUndefined();
});
/** `ssh -Q key-cert` of OpenSSH 9.2. */
const sshdNames = [
  "ssh-ed25519-cert-v01@openssh.com",
  "sk-ssh-ed25519-cert-v01@openssh.com",
  "ssh-rsa-cert-v01@openssh.com",
  "ssh-dss-cert-v01@openssh.com",
  "ecdsa-sha2-nistp256-cert-v01@openssh.com",
  "ecdsa-sha2-nistp384-cert-v01@openssh.com",
  "ecdsa-sha2-nistp521-cert-v01@openssh.com",
  "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
];
