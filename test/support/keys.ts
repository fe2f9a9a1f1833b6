/** A well-formed ed25519 key that nobody holds; different numbers make different keys. */
export function exampleKey(number: number, type = "ssh-ed25519"): string {
  const part = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  const blob = Buffer.concat([part(Buffer.from(type)), part(Buffer.alloc(32, number))]);
  return `ssh-ed25519 ${blob.toString("base64")}`;
}
