import type { Connection, IncomingSession, SessionRequest, SocketAddress } from "../incoming-session.ts";

/** An environment as the kernel holds it. The values are exact bytes. */
export type RawEnvironment = ReadonlyMap<string, Uint8Array>;

/** The variables that a session reads. */
export const NAMES_READ = ["SSH_ORIGINAL_COMMAND", "SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "SSH_USER_AUTH"] as const;

/** The facts that sshd provides about its client. */
export interface SshFacts {
  readonly environment: RawEnvironment;
  readonly key: Connection["key"];
  /** Whether stdin is a terminal. */
  readonly terminal: boolean;
}

/** The parts of an incoming session that come from sshd: connection, request, and whether it has a terminal. */
export function toldBySshd({ environment, key, terminal }: SshFacts) {
  return {
    connection: { ...connectionOf(environment), ...(key && { key }) },
    request: requestOf(environment),
    terminal: terminal || (environment.get("SSH_TTY")?.length ?? 0) > 0,
  } satisfies Partial<IncomingSession>;
}

/** A request for a shell opens the line loop. Lix 2.93.0 sends such requests. */
const SHELLS: ReadonlySet<string> = new Set(["", "bash", "sh"]);

/** The client's request. sshd sets SSH_ORIGINAL_COMMAND where there is a forced command (sshd_config(5)). */
export function requestOf(environment: RawEnvironment): SessionRequest {
  const bytes = environment.get("SSH_ORIGINAL_COMMAND");
  return bytes === undefined || opensLineLoop(bytes) ? { mode: "loop" } : { mode: "command", bytes };
}

/** Whether this request asks for a shell, which is the line loop. */
export function opensLineLoop(request: Uint8Array): boolean {
  return request.length <= "bash".length && SHELLS.has(new TextDecoder("utf-8", { ignoreBOM: true }).decode(request));
}

const ADDRESS = /^[0-9a-fA-F:.]{2,45}(?:%[\w.-]{1,32})?$/;

/**
 * The two ends of the connection, from SSH_CONNECTION (`client port server port`) or SSH_CLIENT. Malformed parts are
 * left out.
 */
export function connectionOf(environment: RawEnvironment): Connection {
  const words = (name: string) => new TextDecoder().decode(environment.get(name) ?? new Uint8Array()).split(" ");
  const [clientIp, clientPort, serverIp, serverPort] = words("SSH_CONNECTION");
  const client = endpoint(clientIp, clientPort) ?? endpoint(...(words("SSH_CLIENT").slice(0, 2) as [string, string]));
  const server = endpoint(serverIp, serverPort);
  return { ...(client && { client }), ...(server && { server }) };
}

function endpoint(ip: string | undefined, port: string | undefined): SocketAddress | undefined {
  if (ip === undefined || port === undefined || !ADDRESS.test(ip) || !/^\d{1,5}$/.test(port)) return undefined;
  return { ip, port: Number(port) };
}
