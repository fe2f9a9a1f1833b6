import { isIP } from "node:net";

/**
 * An address for the `ip` types of ECS and OCSF. The zone of a link-local address (`fe80::1%eth0`) is removed, because
 * it names an interface of this host alone (RFC 4007, section 11). Undefined where the text is no address.
 */
export function plainAddress(ip: string): string | undefined {
  const [plain = ""] = ip.split("%");
  return isIP(plain) === 0 ? undefined : plain;
}
