import * as z from "zod/mini";
import { maybe, maybeText, textField } from "./field.ts";

const certificate = z.object({
  id: maybeText("the text that the CA chose, escaped, cut at 256 characters", "ExposeAuthInfo is off"),
  serial: textField("the CA's number of it, 64 bits, as decimal digits"),
  ca: textField("SHA256:… of the CA's key"),
  principals: maybe(z.array(z.string()), "the names it is good for, 32 at most, escaped", "ExposeAuthInfo is off"),
  valid_before: maybeText("when it expires, RFC 3339, UTC", "it never does, or ExposeAuthInfo is off"),
});

/** The key of a session's client. */
export const keyField = maybe(
  z.object({
    type: maybeText("type of the key, also where a certificate was shown", "ExposeAuthInfo is off"),
    fingerprint: textField("SHA256:… of the key, as ssh-keygen -l prints it"),
    certificate: maybe(certificate, "the certificate that the client showed for its key", "it showed none"),
  }),
  "the key that the client proved to own",
  "sshd does not say (ExposeAuthInfo is off), and the forced command has no --key",
);
