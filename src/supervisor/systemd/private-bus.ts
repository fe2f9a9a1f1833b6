import type { Duplex } from "node:stream";
import { createClient, type Message, type MessageBus } from "dbus-native";
import { clock, sleep, within } from "../../system/kernel/clock.ts";

/** PID 1's own D-Bus socket, root's with mode 0700 (src/core/dbus.c of systemd). systemctl uses it too, as root. */
export const PRIVATE_SOCKET = "/run/systemd/private";
/** The timeout for systemd's answer, in milliseconds. systemd does not answer while it re-executes itself. */
export const PATIENCE_TIMEOUT_MS = 20_000;
const AGAIN_MS = 100;
/**
 * The longest message, far above all messages of PID 1. A longer one ends the connection, and the next call makes
 * another.
 */
const LONGEST_MESSAGE = 4 << 20;

/** A connection to PID 1 without a bus in between, so no other process can send over it or fill its queue. */
export interface PrivateBus {
  /**
   * Calls a method. If the connection is lost meanwhile, it calls again over the next connection.
   * @param anew called before the call is sent again, because systemd may have received the first one
   * @throws the error of systemd or of the library
   */
  call(message: Message, anew?: () => void): Promise<unknown>;
}

/** The path of a socket, or what makes a stream that is connected already. */
export type BusSocket = string | (() => Duplex);

/**
 * Connects, and reconnects whenever the connection is lost (systemctl daemon-reexec).
 * @param heard takes each signal; its exceptions go only to `warn`
 * @throws Error if no process listens at the path in time
 */
export async function privateBus(
  socket: BusSocket,
  heard: (message: Message) => void,
  warn: (problem: unknown) => void,
  timeout = PATIENCE_TIMEOUT_MS,
): Promise<PrivateBus> {
  let current: Promise<MessageBus> | undefined;
  const connected = (): Promise<MessageBus> => {
    if (current) return current;
    const lost = () => {
      if (current === opening) current = undefined;
    };
    const opening = connect(socket, timeout, { heard, warn, lost });
    current = opening;
    return opening;
  };
  await retried(connected, timeout);
  return {
    async call(message, anew = () => {}) {
      let sent = false;
      return retried(async () => {
        const bus = await connected();
        if (sent) anew();
        sent = true;
        return bus.invoke({ ...message });
      }, timeout);
    },
  };
}

/** Errors that say nothing about the call: no process listens at this moment, or the connection was lost. */
const LOST: ReadonlySet<unknown> = new Set(["ECONNCLOSED", "ECONNREFUSED", "ECONNRESET", "ENOENT", "EPIPE", "EAGAIN"]);

async function retried<Answer>(attempt: () => Promise<Answer>, timeout: number): Promise<Answer> {
  const end = clock.monotonic() + timeout;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!LOST.has((error as NodeJS.ErrnoException).code) || clock.monotonic() + AGAIN_MS > end) throw error;
      await sleep(AGAIN_MS);
    }
  }
}

interface Listeners {
  heard(message: Message): void;
  warn(problem: unknown): void;
  /** Called when the connection cannot be used any more, or could never be used. */
  lost(): void;
}

async function connect(socket: BusSocket, timeout: number, { heard, warn, lost }: Listeners): Promise<MessageBus> {
  const bus = createClient({
    ...(typeof socket === "string" ? { socket: socket } : { stream: socket() }),
    direct: true, // no Hello, because there is no bus
    timeout: timeout,
    maxMessageSize: LONGEST_MESSAGE,
    authMethods: ["EXTERNAL"],
  });
  const { connection } = bus;
  const up = new Promise<"up">((resolve, reject) => {
    connection.on("connect", () => resolve("up"));
    connection.on("error", (error) => {
      lost();
      connection.end();
      reject(error);
    });
    connection.on("close", (cause) => {
      lost();
      reject(cause ?? Object.assign(new Error("systemd has closed the connection"), { code: "ECONNCLOSED" }));
    });
  });
  // The only guard for arriving messages. Without it the library throws a listener's exception where nothing catches
  // it.
  connection.on("handlerError", warn);
  connection.on("message", heard);
  if ((await within(timeout, up, "late")) === "up") return bus;
  lost();
  connection.end();
  throw new Error(`systemd does not answer at ${typeof socket === "string" ? socket : "its socket"}`);
}
