import { pino } from "pino";

/**
 * The supervisor's own log, one JSON object a line on stdout. systemd connects stdout to the journal. Records of
 * sessions are not part of it.
 */
export const openLog = () => pino({ base: null, timestamp: false, formatters: { level: (level) => ({ level }) } });
