import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { cached, keyOf } from "./cache.ts";
import { aptSources, type Suite } from "./debian.ts";
import { MachineError, type Say } from "./error.ts";
import { lastLine } from "./host.ts";
import { contained } from "./processes.ts";

/** Where a User-Mode Linux is taken from, best first: forky's 7.2 has the seccomp mode, which is the quickest. */
export const KERNEL_SUITES: readonly Suite[] = ["forky", "trixie", "bookworm"];

export interface Kernel {
  readonly suite: Suite;
  readonly program: string;
}

/**
 * A kernel that is an ordinary program: the first of the suites that has one and runs here.
 * @throws MachineError E_MACHINE_KERNEL with a reason for each suite
 */
export async function kernel(say: Say, suites: readonly Suite[] = KERNEL_SUITES): Promise<Kernel> {
  const reasons: string[] = [];
  for (const suite of suites) {
    try {
      const sources = aptSources(suite);
      const key = keyOf(sources, readFileSync(import.meta.filename, "utf8"));
      const folder = await cached(`kernel/${suite}`, key, (partial) => build(partial, suite, sources, say));
      return { suite, program: join(folder, "linux") };
    } catch (error) {
      if (!(error instanceof MachineError)) throw error;
      reasons.push(`${suite}: ${error.message}`);
      say(`no kernel from ${suite}: ${error.message}`);
    }
  }
  throw new MachineError("E_MACHINE_KERNEL", `no User-Mode Linux is to be had: ${reasons.join("; ")}`);
}

async function build(folder: string, suite: Suite, sources: string, say: Say): Promise<void> {
  say(`kernel: fetching User-Mode Linux of ${suite}`);
  const work = join(folder, "work");
  const list = join(work, "debian.sources");
  mkdirSync(join(work, "lists/partial"), { recursive: true });
  writeFileSync(list, sources);
  writeFileSync(join(work, "status"), "");
  // apt as this machine is set up, but for another suite and without a look at what is installed.
  const settings = {
    "Dir::State": work,
    "Dir::State::status": join(work, "status"),
    "Dir::Cache": work,
    "Dir::Etc::sourcelist": list,
    "Dir::Etc::sourceparts": "/dev/null",
    "Dir::Etc::preferencesparts": "/dev/null",
    "APT::Sandbox::User": "root",
    "Acquire::Languages": "none",
    "Acquire::Check-Valid-Until": "false",
    "Acquire::Check-Date": "false",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  await step(work, "apt-get", "-qq", ...options, "update");
  await step(work, "apt-get", "-qq", ...options, "download", "user-mode-linux", "libc6");

  const archive = (name: string) => readdirSync(work).find((file) => file.startsWith(`${name}_`)) ?? `${name}_*.deb`;
  for (const name of ["user-mode-linux", "libc6"]) await step(work, "dpkg-deb", "--extract", archive(name), name);

  // A newer suite's program wants a newer libc than this machine may have: it gets its own beside it.
  const libc = readdirSync(work, { recursive: true, encoding: "utf8" }).find((path) => path.endsWith("/libc.so.6"));
  if (libc === undefined) throw new MachineError("E_MACHINE_KERNEL", "libc6 holds no libc.so.6");
  for (const name of ["libc.so.6", "ld-linux-x86-64.so.2"])
    copyFileSync(join(work, dirname(libc), name), join(folder, name));
  const program = join(folder, "linux");
  copyFileSync(join(work, "user-mode-linux/usr/bin/linux.uml"), program);
  chmodSync(program, 0o755);
  chmodSync(join(folder, "ld-linux-x86-64.so.2"), 0o755);

  await step(folder, "./ld-linux-x86-64.so.2", "--library-path", folder, program, "--version");

  // The cache entry gets its final name by a rename: the link to the loader must not hold the temporary one.
  const final = folder.replace(/\.partial-\d+$/, "");
  const loader = join(final, "ld-linux-x86-64.so.2");
  await step(work, "patchelf", "--set-interpreter", loader, "--set-rpath", final, program);
  await step(folder, "rm", "-r", work);
}

async function step(cwd: string, ...command: [string, ...string[]]): Promise<void> {
  const done = await execa(...contained(...command), { cwd, reject: false, all: true, env: { LC_ALL: "C" } });
  if (done.exitCode === 0) return;
  throw new MachineError("E_MACHINE_KERNEL", `${command[0]} failed: ${lastLine(done.all)}`, undefined, done);
}
