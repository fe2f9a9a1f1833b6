import { expect } from "vitest";
import { lineOf } from "../hostile.ts";
import { test, text } from "../operator.ts";

const LIMITS = "/etc/security/limits.d/nixgate-test.conf";

test("limits of pam_limits(8) that stop Node.js give one line for the client and one in the journal", async ({
  builder,
}) => {
  try {
    for (const [limit, said] of [
      ["as 1048576", "1048576 KiB of address space (as), and 2097152 are needed"],
      ["data 262144", "262144 KiB of data (data), and 1048576 are needed"],
      ["nofile 24", "24 open files (nofile), and 64 are needed"],
    ] as const) {
      await builder.asRoot(`echo 'nix-alpha hard ${limit}' >${LIMITS}`);
      const { exitCode, stderr } = await builder.ssh("nix-alpha", "second");
      expect.soft({ exitCode, stderr: `${stderr}` }, limit).toEqual({
        exitCode: 69,
        stderr: `nixgate: the limits of this account allow ${said}\n`,
      });
      expect
        .soft(await text(builder, "journalctl -t nixgate -p err -o cat | tail -1"), limit)
        .toBe(`uid ${await text(builder, "id -u nix-alpha")}: the limits allow ${said}: see limits.conf(5)`);
    }
    await builder.asRoot(
      `printf 'nix-alpha hard as 2097152\\nnix-alpha hard data 1048576\\nnix-alpha hard nofile 64\\n' >${LIMITS}`,
    );
    const enough = await builder.ssh("nix-alpha", "second");
    expect(enough.exitCode, `${lineOf(enough.stderr)}`).toBe(0);
  } finally {
    await builder.asRoot(`rm -f ${LIMITS}`);
  }
});
