/** Local time to the second, as the page shows it: `2026-11-23 07:03:12`. */
export function localTime(time: number): string {
  const at = new Date(time);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-");
  return `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":")}`;
}

/** The zone that local times are in, by its name where it has one. */
export const timeZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** `1,234`. */
export const grouped = (count: number): string => count.toLocaleString("en");

/** `1 session`, `1,234 sessions`. */
export const counted = (count: number, noun: string): string => `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
