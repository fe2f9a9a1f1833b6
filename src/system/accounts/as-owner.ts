export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Does something with the rights of an account (seteuid(2)), so that root cannot be led by a link or a name to what that
 * account could not reach itself. Not for anything that waits: the rights are the whole process's meanwhile.
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
