import { hash } from "node:crypto";

/** SHA-256 in lower-case hex; a text is taken as UTF-8. All of the records' digests are made here. */
export const sha256 = (data: string | Uint8Array): string => hash("sha256", data, "hex");
