import { digest } from "../../units/digest.ts";
import type { Finding } from "../finding.ts";
import { fileKey, type Measured } from "./check-seals.ts";
import type { Seal } from "./seal.ts";

/** A finding that root has explained, with the seal that tells the account and the reason. */
export interface Acknowledged {
  readonly finding: Finding;
  readonly seal: Seal;
}

/** The team and day of a finding's file; empty where it is about the seals themselves. */
export function fileOf({ path }: Pick<Finding, "path">): { readonly team: string; readonly day: string } {
  const [, team = "", day = ""] = /([^/]+)\/(\d{4}-\d\d-\d\d)\.jsonl$/.exec(path) ?? [];
  return { team, day };
}

/** A key that identifies a finding, independent of the archive's path. */
export function findingKey(finding: Finding): string {
  const { layer, kind, line, session, what } = finding;
  return digest(JSON.stringify([layer, kind, fileKey(fileOf(finding)), line ?? null, session ?? null, what]), "hex");
}

/**
 * Finds the seal that acknowledges a finding. An acknowledgement holds only while the file still begins with the bytes
 * that it had then: a later change is a new finding.
 * @param measure digests the first bytes of a file; undefined where the file does not exist
 */
export function acknowledgements(
  seals: readonly Seal[],
  measure: (file: { readonly team: string; readonly day: string }, size: number) => Measured | undefined,
) {
  const explained = seals.filter(({ kind }) => kind === "acknowledge");
  const wrong = wrongDays(seals);
  const holds = new Map<number, boolean>();
  const isAsItWas = ({ n, team, day, size, sha256, gone }: Seal) => {
    const known = holds.get(n) ?? (team === "" || isSame(measure({ team, day }, size), size, sha256, gone === true));
    holds.set(n, known);
    return known;
  };
  return (finding: Finding): Seal | undefined => {
    const { day } = fileOf(finding);
    const key = findingKey(finding);
    const own = explained.find((seal) => seal.findings?.includes(key) === true && isAsItWas(seal));
    return own ?? (finding.kind === "late" ? wrong.get(day) : undefined);
  };
}

function isSame(now: Measured | undefined, size: number, sha256: string, gone: boolean): boolean {
  return now === undefined ? gone : !gone && now.at.get(size)?.sha256 === sha256;
}

/** The days that the host's clock showed by mistake, according to root, with the seal of that acknowledgement. */
export const wrongDays = (seals: readonly Seal[]): ReadonlyMap<string, Seal> =>
  new Map(seals.filter(({ kind, clock }) => kind === "acknowledge" && clock === true).map((seal) => [seal.day, seal]));
