import type { Policy } from "../../policy/policy.ts";
import type { MemberName, SessionId } from "../../units/ids.ts";
import { escapeText } from "../../units/text.ts";

/**
 * The longest description shown, in characters. A shell word holds up to 128 KiB (MAX_ARG_STRLEN of execve(2)); a
 * person reads one line.
 */
const DESCRIPTION_MOST = 200;

export interface GreetedPerson {
  readonly session: SessionId;
  readonly member: MemberName | undefined;
}

/**
 * The text for a person who opens a shell and sends no request: the account, its purpose, and how to leave. One line
 * without its newline.
 */
export function greeting({ session, member }: GreetedPerson, policy: Policy): string {
  const who = member === undefined ? `of team ${policy.team}` : `${member} of team ${policy.team}`;
  const description = [...policy.description].slice(0, DESCRIPTION_MOST).join("");
  const about = description === "" ? "" : ` (${escapeText(description)})`;
  return `nixgate: you are ${who}${about}; this account serves ${served(policy)} and has no shell; Ctrl-C ends this (session ${session})`;
}

function served({ allow }: Policy): string {
  const lists = (name: string) => allow.some((rule) => rule.kind === "endpoint" && rule.endpoint === name);
  const schemes = [...(lists("store-serve-write") ? ["ssh://"] : []), ...(lists("daemon-stdio") ? ["ssh-ng://"] : [])];
  return schemes.length === 0 ? "the requests of its policy" : `Nix over ${schemes.join(" and ")}`;
}
