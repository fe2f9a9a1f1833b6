import { parseBytes } from "../../units/bytes.ts";
import { parseDuration } from "../../units/durations.ts";
import type { Bytes, NotAQuantity } from "../../units/quantities.ts";
import type { HostConfig, Limits, SessionRules } from "../policy.ts";
import { caKeys } from "./ca.ts";
import type { HostFile } from "./host-schema.ts";

const exactly = <T extends number>(value: T | NotAQuantity): T => {
  if (typeof value === "object") throw new TypeError(`a default ${value.problem}`);
  return value;
};
const size = (text: string) => exactly(parseBytes(text));
const time = (text: string) => exactly(parseDuration(text));

/**
 * The default [limits] of a command. They are enough to serve a store and build through the daemon, and too low to
 * overload a host.
 */
export const LIMITS = { TasksMax: 256, MemoryMax: size("2G"), RuntimeMaxSec: time("4h") } satisfies Limits;

export const SESSION: SessionRules = {
  maxConcurrent: 8,
  maxStartsPerMinute: 120,
  maxCommands: 32,
  lineMaxBytes: size("4K"),
  readTimeout: time("30s"),
  clientGoneGrace: time("2s"),
  stopTimeout: time("10s"),
};

export const LOG_DIRECTORY = "/var/log/nixgate";

/** nixgate.toml with every default. */
export function hostConfig(file: HostFile): HostConfig {
  return {
    scope: {
      manager: file.scope?.manager ?? "user",
      require: file.scope?.require ?? true,
      confine: file.scope?.confine ?? false,
    },
    programs: file.programs ?? {},
    log: {
      directory: file.log?.directory ?? LOG_DIRECTORY,
      journald: file.log?.journald ?? true,
      onFailure: file.log?.on_failure ?? "refuse",
      maxRefusalsPerDay: file.log?.max_refusals_per_day ?? 10_000,
      maxRefusalBytesPerDay: file.log?.max_refusal_bytes_per_day ?? size("16M"),
    },
    admission: {
      maxSessions: file.admission?.max_sessions ?? 200,
      minAvailableMemory: file.admission?.min_available_memory ?? size("1G"),
      maxLoadPerCpu: file.admission?.max_load_per_cpu ?? 8,
      minFreeLog: file.admission?.min_free_log ?? size("64M"),
      maxPressure: {
        ...(file.admission?.max_cpu_pressure && { cpu: file.admission.max_cpu_pressure }),
        ...(file.admission?.max_memory_pressure && { memory: file.admission.max_memory_pressure }),
        ...(file.admission?.max_io_pressure && { io: file.admission.max_io_pressure }),
      },
      minFreeStore: file.admission?.min_free_store ?? (0 as Bytes),
      minFreeStoreInodes: file.admission?.min_free_store_inodes ?? 0,
    },
    messages: file.messages ?? {},
    ca: caKeys(file.ca),
  };
}
