/** The configuration folder, unless `--config-dir` names another. */
export const CONFIG_DIRECTORY = "/etc/nixgate";

export const CONFIG_OPTIONS = { "config-dir": { type: "string" } } as const;
export const CONFIG_HELP = `  --config-dir DIR   the configuration folder, ${CONFIG_DIRECTORY} by default`;
