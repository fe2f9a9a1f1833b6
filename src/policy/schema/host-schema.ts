import * as z from "zod/mini";
import { CaEntry } from "./ca.ts";
import {
  bytes,
  bytesOrPercent,
  count,
  countOrPercent,
  flag,
  list,
  load,
  oneOf,
  part,
  plainPath,
  schemaVersion,
  table,
  text,
} from "./field.ts";

/** The longest contact line, in characters. Each refused client gets it, and a person reads one line. */
const CONTACT_MOST = 200;

/** nixgate.toml as written: every key that it may have, without defaults. */
export const HostFile = table({
  schema: schemaVersion,
  scope: z.exactOptional(
    table({
      manager: z.exactOptional(oneOf(["user", "system", "none"])),
      require: z.exactOptional(flag),
      confine: z.exactOptional(flag),
    }),
  ),
  programs: z.exactOptional(
    table({
      "nix-store": z.exactOptional(plainPath("/usr/bin/nix-store")),
      "nix-daemon": z.exactOptional(plainPath("/usr/bin/nix-daemon")),
    }),
  ),
  log: z.exactOptional(
    table({
      directory: z.exactOptional(plainPath("/var/log/nixgate")),
      journald: z.exactOptional(flag),
      on_failure: z.exactOptional(oneOf(["refuse", "continue"])),
      max_refusals_per_day: z.exactOptional(count),
      max_refusal_bytes_per_day: z.exactOptional(bytes()),
    }),
  ),
  admission: z.exactOptional(
    table({
      max_sessions: z.exactOptional(count),
      min_available_memory: z.exactOptional(bytes({ zero: true })),
      max_load_per_cpu: z.exactOptional(load),
      min_free_log: z.exactOptional(bytesOrPercent),
      max_cpu_pressure: z.exactOptional(part),
      max_memory_pressure: z.exactOptional(part),
      max_io_pressure: z.exactOptional(part),
      min_free_store: z.exactOptional(bytesOrPercent),
      min_free_store_inodes: z.exactOptional(countOrPercent),
    }),
  ),
  messages: z.exactOptional(table({ contact: z.exactOptional(text("ask builders@example.org", CONTACT_MOST)) })),
  ca: z.exactOptional(list(CaEntry, "write each CA under [[ca]]")),
});
export type HostFile = z.output<typeof HostFile>;
