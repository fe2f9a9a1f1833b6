import type { CertificateNumber } from "../policy/locks.ts";
import { FINGERPRINT } from "../units/ssh-key.ts";

/** The words of the forced command, which sshd chooses by the key. Names are not yet validated. */
export interface ForcedCommand {
  readonly team: string;
  readonly member: string | undefined;
  /** The fingerprint of the key for which sshd forces this command; absent where the line does not tell it. */
  readonly key?: string;
  /** The certificate that AuthorizedPrincipalsCommand was asked about; absent where there was none. */
  readonly certificate?: CertificateNumber;
}

/** `SHA256:…:17`: the fingerprint of the CA's key, and the serial. @returns undefined where the text is none */
export function certificateNumber(text: string): CertificateNumber | undefined {
  const [, ca = "", serial = ""] = /^(SHA256:[^:]*):(\d{1,20})$/.exec(text) ?? [];
  return FINGERPRINT.test(ca) ? { ca, serial } : undefined;
}

export const certificateText = ({ ca, serial }: CertificateNumber): string => `${ca}:${serial}`;

/**
 * The words of bin/nixgate-shim for a forced command. The second word is `MEMBER`, `MEMBER,KEY` or
 * `MEMBER,KEY,CA:SERIAL`; a part that is not known is empty.
 */
export function shimWords({ team, member = "", key = "", certificate }: ForcedCommand): readonly string[] {
  const who = [member, key, certificate ? certificateText(certificate) : ""].join(",").replace(/,+$/, "");
  return who === "" ? [team] : [team, who];
}

/** The forced command of a shim's words. A word that is none of `shimWords` is a member's name that no policy has. */
export function forcedOfShim(team: string, who = ""): ForcedCommand {
  const [member = "", key = "", number = "", ...more] = who.split(",");
  const certificate = number === "" ? undefined : certificateNumber(number);
  const isWrong = more.length > 0 || (key !== "" && !FINGERPRINT.test(key)) || (number !== "" && !certificate);
  if (isWrong) return { team, member: who };
  return {
    ...{ team, member: member === "" ? undefined : member },
    ...(key !== "" && { key }),
    ...(certificate && { certificate }),
  };
}
