export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Runs an action with the rights of an account (seteuid(2)). Then no link or name can lead root to a file that the
 * account itself cannot reach. The action must not wait: the rights apply to the whole process meanwhile.
 */
export function asOwner<T>({ uid, gid }: Owner, action: () => T): T {
  if (process.geteuid?.() !== 0) return action();
  process.setegid?.(gid);
  process.seteuid?.(uid);
  try {
    return action();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}
