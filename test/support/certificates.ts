import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A CA of a test: a key of ssh-keygen(1) in a folder of the test's own. */
export interface TestCa {
  /** The public key, as a line of a .pub file without its comment. */
  readonly publicKey: string;
  readonly fingerprint: string;
  /** The path of the public key. */
  readonly file: string;
  /**
   * Signs a public key file. The certificate lies beside it, where ssh(1) looks for it (`-cert.pub`).
   * @returns the certificate as base64
   */
  sign(key: string, options: SignOptions): string;
}

export interface SignOptions {
  readonly principals: readonly string[];
  readonly serial?: bigint;
  readonly id?: string;
  /** As `-V` of ssh-keygen(1) has it; `always:forever` when absent. */
  readonly valid?: string;
  /** `-O` of ssh-keygen(1): `force-command=…`, `source-address=…`. */
  readonly options?: readonly string[];
}

const keygen = (...words: readonly string[]) => execFileSync("ssh-keygen", words, { encoding: "utf8", stdio: "pipe" });

/** The fingerprint as ssh-keygen(1) -l prints it. */
export const printedFingerprint = (file: string): string => keygen("-lf", file).split(" ")[1] ?? "";

/** Makes a key pair without a passphrase. @returns the public key, as `TYPE BASE64` */
export function makeKey(file: string, type = "ed25519", bits?: number): string {
  const size = bits === undefined ? [] : ["-b", String(bits)];
  keygen("-q", "-t", type, ...size, "-N", "", "-C", "", "-f", file);
  return readFileSync(`${file}.pub`, "utf8").trim();
}

export function makeCa(folder: string, name = "ca"): TestCa {
  const file = join(folder, name);
  const publicKey = makeKey(file);
  return {
    publicKey,
    fingerprint: printedFingerprint(`${file}.pub`),
    file: `${file}.pub`,
    sign(key, { principals, serial = 0n, id = "test", valid = "always:forever", options = [] }) {
      const more = options.flatMap((option) => ["-O", option]);
      keygen(
        ...["-q", "-s", file, "-I", id, "-n", principals.join(","), "-z", String(serial), "-V", valid],
        ...more,
        `${key}.pub`,
      );
      return readFileSync(`${key}-cert.pub`, "utf8").split(" ")[1] ?? "";
    },
  };
}

/** Revokes certificates by their serial in a key revocation list (KRL of ssh-keygen(1)). */
export function revoke(krl: string, ca: TestCa, specification: string): void {
  keygen("-q", "-k", "-f", krl, "-s", ca.file, specification);
}

/** Puts a key pair under another name, so that one key can have certificates of several CAs. */
export function copyKey(from: string, to: string): void {
  copyFileSync(from, to);
  copyFileSync(`${from}.pub`, `${to}.pub`);
}
