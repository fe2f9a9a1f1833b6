import { expect, test } from "vitest";
import { type Look, whyNoConnection } from "../../../src/supervisor/connection.ts";
import { type Pid, toPid } from "../../../src/units/ids.ts";

const UID = 1001;
const [SHELL, CONNECTION, SSHD] = [toPid(30), toPid(20), toPid(10)];
const kin = (parent: Pid, uid: number) => ({ parent, uids: [uid, uid, uid, uid] });

/** sshd's two processes for a connection as the kernel shows them, and whose file systems were asked. */
function processes(changes: Partial<Look> = {}) {
  const asked: Pid[] = [];
  const look: Look = {
    kin: (pid) => (pid === SSHD ? kin(toPid(1), 0) : kin(pid === CONNECTION ? SSHD : CONNECTION, UID)),
    program: () => "sshd-session",
    filesOwner: () => 0,
    mount: () => 25,
    file: (pid) => {
      asked.push(pid);
      return { dev: 1, ino: 7, uid: 0, mode: 0o100755 };
    },
    ...changes,
  };
  return { look, asked };
}

test("sshd's process for a connection of the account is one", () => {
  const { look, asked } = processes();
  expect(whyNoConnection(CONNECTION, UID, look)).toBeUndefined();
  expect(asked).toEqual([SSHD, CONNECTION]);
});

test.each<[string, Partial<Look>, RegExp]>([
  ["with another parent than sshd", { program: () => "systemd" }, /not sshd/],
  ["that the account can trace", { filesOwner: () => UID }, /traced/],
  ["from another mount than sshd", { mount: (pid) => (pid === SSHD ? 25 : 99) }, /another program/],
  ["whose mount is not known", { mount: () => undefined }, /another program/],
  ["of another account", { kin: () => kin(SSHD, 1002) }, /parent is not a process of the account/],
  ["of the account's own process", { kin: () => kin(SHELL, UID) }, /not a process of root/],
])("the file system of a program %s is never asked: it may never answer", (_, changes, why) => {
  const { look, asked } = processes(changes);
  expect(whyNoConnection(CONNECTION, UID, look)).toMatch(why);
  expect(asked).toEqual([]);
});

test.each([
  ["another file on sshd's mount", CONNECTION, { ino: 8 }, /another program/],
  ["a file on another device below it", CONNECTION, { dev: 2 }, /another program/],
])("a process that runs %s is not sshd's", (_, of, change, why) => {
  const file = (pid: Pid) => ({ dev: 1, ino: 7, uid: 0, mode: 0o100755, ...(pid === of && change) });
  expect(whyNoConnection(CONNECTION, UID, processes({ file }).look)).toMatch(why);
});

test.each([{ uid: UID }, { mode: 0o100775 }])("an sshd whose file is %j is not root's alone", (change) => {
  const file = () => ({ dev: 1, ino: 7, uid: 0, mode: 0o100755, ...change });
  expect(whyNoConnection(CONNECTION, UID, processes({ file }).look)).toMatch(/accounts other than root can change/);
});
