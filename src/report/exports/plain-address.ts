import { isIP } from "node:net";

/**
 * An address as the `ip` types of ECS and OCSF take it: without the zone of a link-local one (`fe80::1%eth0`), which names
 * an interface of this host alone (RFC 4007, section 11). Undefined for what is no address.
 */
export function plainAddress(ip: string): string | undefined {
  const [plain = ""] = ip.split("%");
  return isIP(plain) === 0 ? undefined : plain;
}
