import type { Measure, SealStore } from "../../../archive/verify/sealing.ts";
import { textOption } from "../../../cli/options.ts";
import { FILES } from "../../shared/archive-options.ts";
import type { SessionsPorts } from "../sessions-ports.ts";

/** The folder of root's key and seals, unless `--seal-dir` names another. */
export const SEAL_DIRECTORY = "/var/lib/nixgate";

export const SEAL_OPTIONS = { ...FILES.options, "seal-dir": { type: "string" } } as const;
export const SEAL_HELP = `${FILES.help}
  --seal-dir DIR     where the key and the seals are, ${SEAL_DIRECTORY} by default`;

/** Digests with `measure`, and shows the progress for each file. */
export const withProgress =
  (measure: Measure, verb: string, { progress }: Pick<SessionsPorts, "progress">): Measure =>
  (file, sizes) => {
    progress?.(() => `${verb} ${file.team} ${file.day}`);
    return measure(file, sizes);
  };

/** @throws RecordError E_SEAL_STORE */
export type OpenSeals = (
  sealDirectory: string,
  directory: string,
  how: { readonly write: boolean },
) => Promise<SealStore>;

export const sealDirectoryOf = (options: Readonly<Record<string, string | boolean | undefined>>) =>
  textOption(options, "seal-dir") ?? SEAL_DIRECTORY;
