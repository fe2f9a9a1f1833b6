import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import type { Connection } from "../session/arrival.ts";
import type { RawEnvironment } from "../session/ssh-environment.ts";
import { digest } from "../units/digest.ts";

const MAX_BYTES = 65_536;
/** `publickey TYPE BASE64`, one line for each method that succeeded. */
const PUBLIC_KEY = /^publickey ([\w@.-]{1,64}) ([A-Za-z0-9+/]+={0,2})$/m;

/**
 * The key that the client proved to own, from the file that sshd names in SSH_USER_AUTH where ExposeAuthInfo is on
 * (sshd_config(5)). It is trusted as far as the administrator keeps AcceptEnv from letting that name through: so it
 * must be a plain file of the account's own that nobody else can read, as sshd makes it.
 */
export function readUserAuth(environment: RawEnvironment, uid: number): Connection["key"] {
  const path = Buffer.from(environment.get("SSH_USER_AUTH") ?? "").toString("utf8");
  if (!path.startsWith("/") || path.includes("\0")) return undefined;
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.uid !== uid || (stat.mode & 0o077) !== 0 || stat.size > MAX_BYTES) return undefined;
    const [, type, blob] = PUBLIC_KEY.exec(readFileSync(fd, "latin1")) ?? [];
    if (type === undefined || blob === undefined) return undefined;
    const fingerprint = digest(Buffer.from(blob, "base64"), "base64").replace(/=+$/, "");
    return { type, fingerprint: `SHA256:${fingerprint}` };
  } catch {
    return undefined; // the record says that the key is not known
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
