import type { HostConfig } from "../../policy/policy.ts";
import { hostRecord } from "../../record/host-record.ts";
import type { HostBody } from "../../record/schema.ts";
import { HOST } from "../../record/vocabulary.ts";
import { accountOf } from "../accounts/accounts.ts";
import { openJournal } from "../journal/journal.ts";
import { readKernelFile } from "../kernel/kernel-files.ts";
import { newSessionId, ownAccount, ownMachine } from "../kernel/machine.ts";
import { openRecordFile } from "./record-file.ts";

/** This process's account, and the account that had logged in, for a record of the host. */
export function doer(): Pick<HostBody, "user" | "uid" | "login"> {
  const { name, uid } = ownAccount();
  const login = loginUid();
  if (login === undefined || login === uid) return { user: name, uid };
  const account = accountOf(login);
  return { user: name, uid, login: { uid: login, ...(account && { user: account.name }) } };
}

/** (uid_t)-1: there was no login, for example in a service (fs/proc/base.c). */
const NO_LOGIN = 4_294_967_295;

/** The account that logged in, as pam_loginuid(8) has set it in the kernel. sudo and su do not change it. */
function loginUid(): number | undefined {
  const text = readKernelFile("/proc/self/loginuid")?.trim() ?? "";
  return /^\d+$/.test(text) && Number(text) !== NO_LOGIN ? Number(text) : undefined;
}

/**
 * Records an event of the host. It is on disk when this settles, with a copy in the journal.
 * @throws RecordError E_LOG_CREATE (73) or E_LOG_WRITE (74); the journal has its copy nevertheless
 */
export async function putOnHostRecord(
  { directory, journald }: Pick<HostConfig["log"], "directory" | "journald">,
  body: HostBody,
): Promise<void> {
  const time = Date.now();
  const { host, boot } = ownMachine();
  const { record, line } = hostRecord({ id: newSessionId(time), host, boot, time }, body);
  const journal = journald ? openJournal({ manager: "system" }) : undefined;
  try {
    const file = openRecordFile(directory, HOST, time);
    try {
      file.append(line, { durable: true });
    } finally {
      file.close();
    }
  } finally {
    journal?.copy(record, line);
    await journal?.flush();
  }
}
