import type { RenderedFile } from "./slices.ts";

const escapeXml = (name: string) => name.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

/**
 * Denies the accounts calls to systemd and other services of root. These answer any account, and each call costs them
 * time (dbus-daemon(1)).
 */
export function busPolicy(accounts: readonly string[]): RenderedFile {
  const own = accounts.map(
    (account) => `  <policy user="${escapeXml(account)}">
    <deny send_destination="*"/>
    <deny send_type="method_call"/>
    <deny send_type="signal"/>
    <deny own="*"/>
  </policy>
`,
  );
  const none = accounts.map((account) => `    <deny user="${escapeXml(account)}"/>\n`);
  return {
    path: "/etc/dbus-1/system.d/nixgate.conf",
    text: `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<!-- Commands of teams do not need the system bus. They could keep systemd busy with calls, so that no session starts, and
     send signals in the names of services. This file takes effect after systemctl reload dbus.service. -->
<busconfig>
${own.join("")}  <policy context="mandatory">
${none.join("")}  </policy>
</busconfig>
`,
  };
}
