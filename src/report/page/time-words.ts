/** The name of the local time zone. */
export const timeZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** `1,234`. */
export const grouped = (count: number): string => count.toLocaleString("en");

/** `1 session`, `1,234 sessions`. */
export const counted = (count: number, noun: string): string => `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
