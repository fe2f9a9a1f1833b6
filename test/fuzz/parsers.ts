import { busParsers } from "./bus-parsers.ts";
import type { Parser } from "./parser.ts";
import { policyParsers } from "./policy-parsers.ts";
import { processParsers } from "./process-parsers.ts";
import { recordParsers } from "./record-parsers.ts";

/**
 * All parsers of root's that read what an account can write.
 * @param folder of the run's own, for those that read files
 */
export const parsers = async (folder: string): Promise<readonly Parser[]> => [
  ...processParsers(folder),
  ...busParsers,
  ...recordParsers(folder),
  ...(await policyParsers()),
];
