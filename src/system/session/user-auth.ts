import { closeSync, constants, fstatSync, openSync } from "node:fs";
import type { Connection } from "../../session/arrival.ts";
import type { RawEnvironment } from "../../session/requests/ssh-environment.ts";
import { digest } from "../../units/digest.ts";
import { O_PATH } from "../files/safe-folder.ts";
import { readFirstOf } from "../kernel/kernel-files.ts";

const MAX_BYTES = 65_536;
/** What sshd calls the file (prepare_auth_info_file of session.c, OpenSSH 9 and 10). */
const NAMED_BY_SSHD = /^\/tmp\/sshauth\.\w{1,32}$/;
/** `publickey TYPE BASE64`, one line for each method that succeeded. */
const PUBLIC_KEY = /^publickey ([\w@.-]{1,64}) ([A-Za-z0-9+/]+={0,2})$/m;

/**
 * The key that the client proved to own, from the file that sshd names in SSH_USER_AUTH where ExposeAuthInfo is on
 * (sshd_config(5)). It is trusted as far as the administrator keeps AcceptEnv from letting that name through: so it
 * must be a plain file of the account's own that nobody else can read, as sshd makes it. Nothing else is opened: until
 * that is known the file is only held (O_PATH of open(2)), so that root neither wakes a device nor waits for a file system
 * of the account's own.
 * @returns undefined where the key is not known
 */
export function readUserAuth(environment: RawEnvironment, uid: number): Connection["key"] {
  const path = Buffer.from(environment.get("SSH_USER_AUTH") ?? "").toString("utf8");
  if (!NAMED_BY_SSHD.test(path)) return undefined;
  let held: number | undefined;
  let opened: number | undefined;
  try {
    held = openSync(path, O_PATH | constants.O_NOFOLLOW);
    const stat = fstatSync(held);
    if (!stat.isFile() || stat.uid !== uid || (stat.mode & 0o077) !== 0 || stat.size > MAX_BYTES) return undefined;
    // without O_NONBLOCK a lease that the account holds on its file would keep root waiting (F_SETLEASE of fcntl(2))
    opened = openSync(`/proc/self/fd/${held}`, constants.O_RDONLY | constants.O_NONBLOCK);
    // The account may let the file grow while it is read, however large it was before.
    const bytes = readFirstOf(opened, MAX_BYTES + 1);
    const [, type, blob] = PUBLIC_KEY.exec(bytes.toString("latin1")) ?? [];
    if (bytes.length > MAX_BYTES || type === undefined || blob === undefined) return undefined;
    const fingerprint = digest(Buffer.from(blob, "base64"), "base64").replace(/=+$/, "");
    return { type, fingerprint: `SHA256:${fingerprint}` };
  } catch {
    return undefined; // the record says that the key is not known
  } finally {
    for (const descriptor of [held, opened]) if (descriptor !== undefined) closeSync(descriptor);
  }
}
