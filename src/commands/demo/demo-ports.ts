export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder for the time of the demo, and what goes on in it. */
export interface Workshop {
  /** Absolute, the caller's own, mode 0700. */
  readonly folder: string;
  makeFolder(name: string): void;
  /** Writes a file for the caller alone, and the folders that it needs; gives its path. */
  write(name: string, text: string): string;
  /**
   * Runs a program to its end; a status that is not 0 is an answer like any other.
   * @throws Interrupted at once when the person has had enough
   */
  run(argv: readonly string[], environment: Readonly<Record<string, string>>): Promise<Ran>;
  /** @param forcedCommand what the one key of the one client is allowed to do */
  startSshd(forcedCommand: string): Promise<{ readonly port: number; readonly clientConfig: string }>;
  /** Ends sshd and removes the folder, unless it is to be kept. */
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
  /** Where the account's user manager would listen, and whether somebody does. */
  readonly userManager: { readonly socket: string; readonly isThere: boolean };
  openWorkshop(options: { readonly keep: boolean }): Workshop;
  isInterruption(error: unknown): boolean;
}
