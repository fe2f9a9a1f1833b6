import * as z from "zod/mini";
import { LOCK_KINDS } from "../units/lock-kinds.ts";
import { countField, maybe, maybeText, recordField, textField } from "./field.ts";

const lockKind = () => recordField(z.enum(LOCK_KINDS), "what is locked");
const LOCK_VALUE = "the team, TEAM/MEMBER, fingerprint, address or network, certificate's serial";
const lockValue = () => textField(LOCK_VALUE);
const lockReason = () => maybeText("why, in the administrator's words; clients are not told", "nobody said");
/** The lock that refused or ended a session. */
export const lockField = (absent: string) =>
  maybe(
    z.object({
      kind: maybe(z.enum(LOCK_KINDS), "what is locked", "the locks cannot be read, so everybody is refused"),
      value: maybeText(LOCK_VALUE, "the locks cannot be read"),
      reason: lockReason(),
    }),
    "the lock that was in force (`nixgate lock`)",
    absent,
  );

/** The fields that tell the subject of a record of the host. */
const hostEvent = () => ({
  for_team: maybeText("the team that it is about", "it is about all teams"),
  user: textField("the account that did it"),
  uid: countField("that account's number"),
  login: maybe(
    z.object({
      uid: countField("number of the account that logged in"),
      user: maybeText("its name", "there is no such account any more"),
    }),
    "the account that had logged in, if another account did it: /proc/self/loginuid",
    "the kernel does not know, or it is the same account",
  ),
});

/** The records of actions of root that belong to no session. */
export const hostBodies = {
  "host.close": z.object({
    event: z.literal("host.close"),
    ...hostEvent(),
    message: textField("the message for new sessions"),
  }),
  "host.open": z.object({ event: z.literal("host.open"), ...hostEvent() }),
  "lock.set": z.object({
    event: z.literal("lock.set"),
    ...hostEvent(),
    kind: lockKind(),
    value: lockValue(),
    reason: lockReason(),
    until: maybeText("when it runs out by itself, RFC 3339, UTC", "it has to be lifted"),
  }),
  "lock.lift": z.object({ event: z.literal("lock.lift"), ...hostEvent(), kind: lockKind(), value: lockValue() }),
} as const;
