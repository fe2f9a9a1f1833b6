import type { RenderedFile } from "./slices.ts";

const FOLDER = "/etc/systemd/system";

/** A unit file of systemd, by its name below /etc/systemd/system. */
export const unit = (name: string, text: string): RenderedFile => ({ path: `${FOLDER}/${name}`, text });
