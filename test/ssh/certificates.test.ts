import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type Builder, type BuilderOptions, startBuilder } from "../support/builder.ts";
import { makeCa, printedFingerprint } from "../support/certificates.ts";
import { temporaryFolder } from "../support/temporary.ts";

let builder: Builder | undefined;
afterEach(async () => {
  await builder?.stop();
  builder = undefined;
});
async function start(options: BuilderOptions): Promise<Builder> {
  builder = await startBuilder(options);
  return builder;
}

const PING = ["nix", "store", "ping", "--store", "ssh-ng://builder"];
const ca = makeCa(temporaryFolder("ca"));

test("a certificate is on record with what sshd checked, and its key's fingerprint is that of ssh-keygen -l", async () => {
  const here = await start({
    sshd: () => ["ExposeAuthInfo yes"],
    authorizedKeys: ({ forced }) =>
      `restrict,cert-authority,principals="ci-alpha",command="${forced}" ${ca.publicKey}\n`,
  });
  const key = join(here.folder, "ssh/client_key");
  const valid = "20260101000000Z:20990102030405Z";
  ca.sign(key, {
    principals: ["ci-alpha", "ci-beta"],
    serial: 18_446_744_073_709_551_615n,
    id: "run 7\u001b[31m",
    valid,
  });
  expect(await here.run(PING)).toMatchObject({ status: 0 });
  const [record] = await here.awaitRecords("session.start");
  expect(record?.key).toEqual({
    type: "ssh-ed25519",
    fingerprint: printedFingerprint(`${key}-cert.pub`),
    certificate: {
      id: "run 7\\u{1b}[31m",
      serial: "18446744073709551615",
      ca: ca.fingerprint,
      principals: ["ci-alpha", "ci-beta"],
      valid_before: "2099-01-02T03:04:05.000Z",
    },
  });
  here.mark();
  ca.sign(key, { principals: ["ci-alpha"] });
  expect(await here.run(PING)).toMatchObject({ status: 0 });
  const [eternal] = await here.awaitRecords("session.start");
  expect(eternal?.key?.certificate).not.toHaveProperty("valid_before");
});
