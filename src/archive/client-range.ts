import { BlockList, isIP } from "node:net";

/** The most addresses that the filter remembers. */
const REMEMBERED = 10_000;

/**
 * The test for an address or a network: `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`. An IPv4 address also matches in its
 * IPv6 form (`::ffff:192.0.2.7`). Bits after the prefix are ignored. A link-local address matches on every interface,
 * or only on the one that it names: `fe80::1%eth0` (RFC 4007, section 11).
 * @returns undefined where the text is neither an address nor a network
 */
export function clientRange(text: string): ((ip: string) => boolean) | undefined {
  const [base = "", prefix, ...more] = text.split("/");
  const [address = "", zone, ...zones] = base.split("%");
  const family = isIP(address);
  const bits = family === 4 ? 32 : 128;
  if (family === 0 || more.length + zones.length > 0 || zone === "") return undefined;
  if (zone !== undefined && family === 4) return undefined;
  if (prefix !== undefined && (!/^\d{1,3}$/.test(prefix) || Number(prefix) > bits)) return undefined;
  const range = new BlockList();
  range.addSubnet(address, prefix === undefined ? bits : Number(prefix), family === 4 ? "ipv4" : "ipv6");
  const seen = new Map<string, boolean>();
  return (ip) => {
    const known = seen.get(ip);
    if (known !== undefined) return known;
    const [plain = "", over] = ip.split("%");
    const kind = isIP(plain);
    const matches =
      kind !== 0 && (zone === undefined || zone === over) && range.check(plain, kind === 4 ? "ipv4" : "ipv6");
    if (seen.size >= REMEMBERED) seen.clear();
    seen.set(ip, matches);
    return matches;
  };
}
