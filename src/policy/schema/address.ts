import { quoted } from "./describe-value.ts";
import { field, type Wrong, wrongType } from "./field.ts";

const FIX = 'write an address or a network, such as "192.0.2.7", "10.0.0.0/8" or "2001:db8::/32"';

/**
 * One entry of `from`: an IP address or a network, as in the `from=` of authorized_keys (sshd(8)). sshd also accepts
 * host names and the patterns `*`, `?` and `!`; nixgate refuses these. A name needs a resolver, and its answers can be
 * forged. A pattern over an address restricts less than it seems to.
 */
export function readAddress(value: string): string | Wrong {
  if (/[*?!,]/.test(value)) return { problem: `${quoted(value)} is a pattern`, fix: FIX };
  const [address = "", prefix, ...more] = value.split("/");
  const family = familyOf(address);
  if (family === undefined || more.length > 0) return { problem: `${quoted(value)} is not an address`, fix: FIX };
  if (prefix === undefined) return value;
  const bits = family === 4 ? 32 : 128;
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > bits)
    return { problem: `${quoted(value)} has a prefix that is not from 0 to ${bits}`, fix: FIX };
  const hostBits = (1n << BigInt(bits - Number(prefix))) - 1n;
  // addr_match_cidr_list of OpenSSH 9.2 reports an inconsistent mask length here and refuses the whole key
  return (toNumber(address) & hostBits) === 0n
    ? value
    : { problem: `${quoted(value)} has bits set after its prefix`, fix: "write the network's first address" };
}

export const sourceAddress = field("address or network", (value) =>
  typeof value === "string" ? readAddress(value) : wrongType(value, "an address", FIX),
);

const OCTET = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const IPV4 = new RegExp(`^(?:${OCTET}\\.){3}${OCTET}$`);

/**
 * The IP version of an address. node:net's isIP is not used, because loading that module and its patterns takes
 * milliseconds, and a session waits for this.
 */
function familyOf(address: string): 4 | 6 | undefined {
  if (IPV4.test(address)) return 4;
  return /^[0-9a-f:.]+$/i.test(address) && URL.canParse(`http://[${address}]`) ? 6 : undefined;
}

/** An address as a number: 32 bits, or 128. */
function toNumber(address: string): bigint {
  if (familyOf(address) === 4) return address.split(".").reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
  // The URL parser normalises every IPv6 address, without a dotted IPv4 tail (RFC 5952).
  const [head = "", tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const groups = (part: string | undefined) => (part ? part.split(":") : []);
  const [shim, back] = [groups(head), groups(tail)];
  const all = [...shim, ...new Array<string>(8 - shim.length - back.length).fill("0"), ...back];
  return all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}

/**
 * Whether a client's address is in a range that `readAddress` takes. An IPv4 address in its IPv6 form
 * (`::ffff:192.0.2.7`) is that IPv4 address; the zone of a link-local one (`%eth0`) is passed over.
 */
export function isInRange(address: string, range: string): boolean {
  const [network = "", prefix] = range.split("/");
  const [one, other] = [plainAddress(address), plainAddress(network)];
  const family = familyOf(one);
  if (family === undefined || familyOf(other) !== family) return false;
  const bits = family === 4 ? 32 : 128;
  const free = BigInt(bits - (prefix === undefined ? bits : Number(prefix)));
  return toNumber(one) >> free === toNumber(other) >> free;
}

function plainAddress(text: string): string {
  const [address = ""] = text.split("%");
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}
