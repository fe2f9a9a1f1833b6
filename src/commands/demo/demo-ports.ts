export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A temporary folder for the demo, with the operations in it. */
export interface Workshop {
  /** Absolute, the caller's own, mode 0700. */
  readonly folder: string;
  makeFolder(name: string): void;
  /** Writes a file that only the caller can read, and the folders that it needs. Returns its path. */
  write(name: string, text: string): string;
  /**
   * Runs a program to its end. A status other than 0 is a normal result.
   * @throws Interrupted at once when the person interrupts the demo
   */
  run(argv: readonly string[], environment: Readonly<Record<string, string>>): Promise<Ran>;
  /** @param forcedCommand the command that the client's only key may run */
  startSshd(forcedCommand: string): Promise<{ readonly port: number; readonly clientConfig: string }>;
  /** Ends sshd and removes the folder, unless it should be kept. */
  close(): Promise<void>;
}

export interface DemoPorts {
  /** Writes a line at once. */
  say(line: string): void;
  findProgram(name: string): string | undefined;
  /** The absolute path of bin/nixgate. */
  readonly nixgate: string;
  /** The text of policies/ci.toml. */
  examplePolicy(): string;
  /** The path of the user manager's socket, and whether a process listens there. */
  readonly userManager: { readonly socket: string; readonly isThere: boolean };
  openWorkshop(options: { readonly keep: boolean }): Workshop;
  isInterruption(error: unknown): boolean;
}
