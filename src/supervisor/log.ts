import { pino } from "pino";

/**
 * The supervisor's own log, one JSON object a line on stdout, which is the journal's where systemd starts it. Records of
 * sessions are no part of it.
 */
export const openLog = () => pino({ base: null, timestamp: false, formatters: { level: (level) => ({ level }) } });
