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

async function must(guest: Guest, command: string, input = ""): Promise<void> {
  const { exitCode, stderr } = await guest.asRoot(command, { input });
  if (exitCode !== 0) throw new Error(`${command}: ${stderr}`);
}
