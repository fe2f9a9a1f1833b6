import fc from "fast-check";

const wire = (bytes: Uint8Array | string): Buffer => {
  const body = Buffer.from(bytes as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
};
const uint64 = (value: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
};

/** A sound certificate of OpenSSH's (PROTOCOL.certkeys), without a true signature: nixgate checks none. */
const sound = fc
  .record({
    id: fc.string({ maxLength: 300, unit: "binary" }),
    principals: fc.array(fc.string({ maxLength: 20, unit: "binary" }), { maxLength: 40 }),
    serial: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    until: fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constant(1767582720n)),
  })
  .map(({ id, principals, serial, until }) =>
    Buffer.concat([
      ...[wire("ssh-ed25519-cert-v01@openssh.com"), wire("n".repeat(32)), wire("k".repeat(32)), uint64(serial)],
      ...[Buffer.from([0, 0, 0, 1]), wire(id), wire(Buffer.concat(principals.map(wire))), uint64(0n), uint64(until)],
      ...[wire(""), wire(""), wire(""), wire("c".repeat(51)), wire("s".repeat(83))],
    ]),
  );

/** Such certificates with a few bytes changed, as a line of the file that sshd names in SSH_USER_AUTH. */
export const certificateLine = fc
  .tuple(sound, fc.array(fc.tuple(fc.nat(400), fc.uint8Array({ maxLength: 4 })), { maxLength: 2 }))
  .map(([bytes, changes]) => {
    for (const [at, put] of changes)
      bytes.set(put.subarray(0, Math.max(0, bytes.length - at)), Math.min(at, bytes.length));
    return `publickey ssh-ed25519-cert-v01@openssh.com ${bytes.toString("base64")}\n`;
  });
