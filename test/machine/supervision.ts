import type { Guest } from "./support.ts";

const DROP_IN = "/run/systemd/system/nixgate.service.d";

/** In the supervisor's place systemd starts something that answers nobody. */
export const neverBack = (guest: Guest) =>
  guest.asRoot(
    `mkdir -p ${DROP_IN}; printf '[Service]\\nExecStart=\\nExecStart=sleep 1000\\n' >${DROP_IN}/never.conf; systemctl daemon-reload; systemctl restart nixgate.service`,
  );

export const backAgain = (guest: Guest) =>
  guest.asRoot(`rm -r ${DROP_IN}; systemctl daemon-reload; systemctl restart nixgate.service`);
