/** The events of builds that share the limits of a command's scope. */
export interface BoundedBuilds {
  /**
   * Calls back once when a limit of the scope, or of one around it, has ended a process of a build or refused a fork. The
   * returned function stops that.
   */
  onLimit(callback: (limit: "oom" | "tasks-limit") => void): () => void;
  /** Ends the builds of the command, which has ended. Settles when their daemon is gone too. */
  endBuilds(): Promise<void>;
  /** Calls back when a build of the command is found outside of the scope. The returned function stops that. */
  onBuildOutside(callback: () => void): () => void;
}
