import { BlockList, isIP } from "node:net";

/** More addresses than a filter meets between two looks are not remembered. */
const REMEMBERED = 10_000;

/**
 * Which addresses an address or network stands for: `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`. An IPv4 address is
 * known in its IPv6 form too (`::ffff:192.0.2.7`), and bits behind the prefix do not matter. A link-local address is known
 * over every interface, or over the one that it names: `fe80::1%eth0` (RFC 4007, section 11).
 * @returns undefined where the text is neither
 */
export function clientRange(text: string): ((ip: string) => boolean) | undefined {
  const [place = "", prefix, ...more] = text.split("/");
  const [address = "", zone, ...zones] = place.split("%");
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
