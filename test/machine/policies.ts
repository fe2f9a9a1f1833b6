import type { Guest } from "./support.ts";

const CONFIGURATION = "/etc/nixgate";
const FOLDER = `${CONFIGURATION}/policies`;
const PRISTINE = "/root/pristine-configuration";

/** Adds rules for exact requests to a team's policy in the guest; the next file of tests finds the policies as they were. */
export async function allow(
  guest: Guest,
  team: string,
  rules: Readonly<Record<string, readonly string[]>>,
): Promise<void> {
  const words = (list: readonly string[]) => JSON.stringify(list);
  const toml = Object.entries(rules).map(
    ([request, run]) => `\n[[allow]]\nrequest = ${words(request.split(" "))}\nrun = ${words(run)}\n`,
  );
  await must(guest, `cat >>${FOLDER}/${team}.toml`, toml.join(""));
}

/** Adds lines to the end of a team's policy. */
export async function append(guest: Guest, team: string, toml: string): Promise<void> {
  await must(guest, `cat >>${FOLDER}/${team}.toml`, `\n${toml}\n`);
}

/** Changes a team's policy by sed(1). */
export async function edit(guest: Guest, team: string, script: string): Promise<void> {
  await must(guest, `sed -i -f - ${FOLDER}/${team}.toml`, script);
}

/** Changes the host's configuration by sed(1). */
export async function editHost(guest: Guest, script: string): Promise<void> {
  await must(guest, `sed -i -f - ${CONFIGURATION}/nixgate.toml`, script);
}

/** Puts the policies and the host's configuration back to what the guest was made with. */
export async function restorePolicies(guest: Guest): Promise<void> {
  await must(guest, `[ -d ${PRISTINE} ] || cp -a ${CONFIGURATION} ${PRISTINE}; cp -a ${PRISTINE}/. ${CONFIGURATION}/`);
}

/** Does what docs/getting-started.md says for a team that comes, up to `nixgate apply`. Its policy is that of gamma. */
export const letEpsIn = (guest: Guest): Promise<void> =>
  must(
    guest,
    `useradd --create-home --uid 1010 --user-group --shell /bin/sh nix-eps && usermod --password '*' nix-eps
     if getent group nix-users >/dev/null; then usermod -aG nix-users nix-eps; fi
     cp -r /home/nix-alpha/.ssh /home/nix-eps/ && chown -R nix-eps: /home/nix-eps/.ssh
     sed -n '/^Match User nix-alpha/,/^$/s/alpha/eps/p' /etc/ssh/sshd_config.d/10-nixgate.conf >/etc/ssh/sshd_config.d/20-eps.conf
     systemctl restart ssh.service
     sed 's/"alpha"/"eps"/' ${FOLDER}/gamma.toml | sed 's/"gamma"/"eps"/' >${FOLDER}/eps.toml`,
  );

async function must(guest: Guest, command: string, input = ""): Promise<void> {
  const { exitCode, stderr } = await guest.asRoot(command, { input });
  if (exitCode !== 0) throw new Error(`${command}: ${stderr}`);
}
