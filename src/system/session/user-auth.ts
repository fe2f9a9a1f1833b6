import { closeSync, constants, fstatSync, openSync } from "node:fs";
import type { Connection } from "../../session/incoming-session.ts";
import type { RawEnvironment } from "../../session/requests/ssh-environment.ts";
import { type Fd, toFd } from "../../units/ids.ts";
import { fingerprintOf, readCertificate } from "../../units/ssh-key.ts";
import { escapeText } from "../../units/text.ts";
import { O_PATH } from "../files/safe-folder.ts";
import { readFirstOf } from "../kernel/kernel-files.ts";
import { mountAt, mountOf } from "../kernel/open-file.ts";

/** The most that is read of the file. */
export const USER_AUTH_MAX_BYTES = 65_536;
/** sshd's name for the file (prepare_auth_info_file of session.c, OpenSSH 9 and 10). */
const NAMED_BY_SSHD = /^\/tmp\/sshauth\.\w{1,32}$/;
/** `publickey TYPE BASE64`, one line for each successful method. */
const PUBLIC_KEY = /^publickey ([\w@.-]{1,64}) ([A-Za-z0-9+/]+={0,2})$/m;

/**
 * The client's authenticated key, from the file that sshd names in SSH_USER_AUTH where ExposeAuthInfo is on
 * (sshd_config(5)). A client can set the variable where AcceptEnv allows it. So the file must be a regular file of the
 * account that no other account can read, as sshd makes it. Before this check the file is only held (O_PATH of
 * open(2)), so that root neither opens a device nor waits for a file system of the account.
 * @returns undefined where the key is not known
 */
export function readUserAuth(environment: RawEnvironment, uid: number): Connection["key"] {
  const path = Buffer.from(environment.get("SSH_USER_AUTH") ?? "").toString("utf8");
  if (!NAMED_BY_SSHD.test(path)) return undefined;
  let held: Fd | undefined;
  let opened: Fd | undefined;
  try {
    held = toFd(openSync(path, O_PATH | constants.O_NOFOLLOW));
    if (mountOf(held) !== mountAt("/tmp")) return undefined; // a file system of its own there may never answer
    const stat = fstatSync(held);
    if (!stat.isFile() || stat.uid !== uid || (stat.mode & 0o077) !== 0 || stat.size > USER_AUTH_MAX_BYTES)
      return undefined;
    // without O_NONBLOCK a lease of the account on its file would block root (F_SETLEASE of fcntl(2))
    opened = toFd(openSync(`/proc/self/fd/${held}`, constants.O_RDONLY | constants.O_NONBLOCK));
    // The account may enlarge the file while it is read, whatever its size was before.
    const bytes = readFirstOf(opened, USER_AUTH_MAX_BYTES + 1);
    return bytes.length > USER_AUTH_MAX_BYTES ? undefined : keyIn(bytes);
  } catch {
    return undefined; // the record says that the key is not known
  } finally {
    for (const descriptor of [held, opened]) if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** @param bytes of a file like sshd's; undefined where it names no key */
export function keyIn(bytes: Buffer): Connection["key"] {
  const [, type, blob] = PUBLIC_KEY.exec(bytes.toString("latin1")) ?? [];
  return type === undefined || blob === undefined ? undefined : keyOf(type, Buffer.from(blob, "base64"));
}

/** The largest date of a JavaScript Date in seconds. sshd takes later dates for "forever", as ssh-keygen(1) -L does. */
const LAST_SECOND = 8_640_000_000_000n;
/** A record is one line: bounds for what the CA wrote. sshd itself takes 256 principals (SSHKEY_CERT_MAX_PRINCIPALS). */
const MOST_PRINCIPALS = 32;
const LONGEST_TEXT = 256;

function keyOf(type: string, blob: Buffer): Connection["key"] {
  if (!type.includes("-cert-")) return { type, fingerprint: fingerprintOf(blob) };
  const read = readCertificate(blob);
  if (read === undefined) return undefined;
  const { serial, ca, validBefore } = read;
  const certificate = {
    id: written(read.id),
    serial: String(serial),
    ca,
    principals: read.principals.slice(0, MOST_PRINCIPALS).map(written),
    ...(validBefore <= LAST_SECOND && { valid_before: new Date(Number(validBefore) * 1000).toISOString() }),
  };
  return { type: read.type, fingerprint: read.fingerprint, certificate };
}

const written = (text: string) => escapeText(text.slice(0, LONGEST_TEXT));
