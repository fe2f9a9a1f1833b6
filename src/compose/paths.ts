import { dirname, join } from "node:path";

declare const NIXGATE_VERSION: string;

/** The build inserts this from package.json. */
export const VERSION = NIXGATE_VERSION;

/** The root folder of the package. The bundles are in its dist folder. */
export const ROOT = dirname(__dirname);
export const PROGRAM = join(ROOT, "bin/nixgate");
export const HOLDER = join(ROOT, "bin/nixgate-holder");
export const SHIM = join(ROOT, "bin/nixgate-shim");
export const CONFIG_DIR = "/etc/nixgate";
