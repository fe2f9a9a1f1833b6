import { describe, expect, test } from "vitest";
import type { ConfigFiles } from "../../../src/policy/config-files.ts";
import { configure } from "../../../src/session/configuration.ts";
import { ExitStatus } from "../../../src/units/exit-status.ts";
import { configFolder, files, HOST } from "../../support/config-folder.ts";
import { exampleKey } from "../../support/keys.ts";

const ALPHA = `schema = 1
team = "alpha"
[[allow]]
endpoint = "store-serve"
[[member]]
name = "ci"
keys = ["${exampleKey(1)}"]
`;
const asked = (team: string, member?: string, content: Readonly<Record<string, string>> = {}) => {
  const directory = configFolder({ "nixgate.toml": HOST, "policies/alpha.toml": ALPHA, ...content });
  return configure({ files, directory }, { team, member });
};

test("a team that has a policy, with or without one of its members", async () => {
  for (const member of [undefined, "ci"]) {
    const configuration = await asked("alpha", member);
    expect(configuration).toMatchObject({
      ok: true,
      host: { scope: { manager: "user" } },
      policy: { team: "alpha" },
      source: {
        path: expect.stringMatching(/policies\/alpha\.toml$/),
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
  }
});

test.each(["nixgate.toml", "policies/alpha.toml"])(
  "where the host cannot read %s at the moment the client may try again, and no policy is called invalid",
  async (name) => {
    const directory = configFolder({ "nixgate.toml": HOST, "policies/alpha.toml": ALPHA });
    const lacking: ConfigFiles = {
      ...files,
      read: (path) =>
        path === `${directory}/${name}`
          ? {
              kind: "refused",
              problem: {
                severity: "error",
                path,
                line: undefined,
                message: "cannot be read now",
                fix: "",
                temporary: true,
              },
            }
          : files.read(path),
    };
    expect(await configure({ files: lacking, directory }, { team: "alpha", member: undefined })).toMatchObject({
      ok: false,
      refusal: { reason: "host-busy", status: 75, message: `${directory}/${name}: cannot be read now` },
    });
  },
);

describe("otherwise the session is refused, and the host's file still says where that goes", () => {
  const unknown = { reason: "unknown-team", message: "there is no policy for this team", status: ExitStatus.config };
  test.each([
    ["no policy", "beta", undefined, {}, unknown],
    ["no name of a team", "../alpha", undefined, {}, unknown],
    [
      "another member",
      "alpha",
      "deploy",
      {},
      { reason: "unknown-member", message: "the team's policy has no such member", status: ExitStatus.denied },
    ],
    ["no name of a member", "alpha", "c/i", {}, { reason: "unknown-member", status: ExitStatus.denied }],
    ["an empty member", "alpha", "", {}, { reason: "unknown-member", status: ExitStatus.denied }],
    [
      "a wrong policy",
      "alpha",
      undefined,
      { "policies/alpha.toml": `${ALPHA}[limits]\nTasksMax = 0\n` },
      {
        reason: "policy-invalid",
        message: expect.stringMatching(/alpha\.toml:9: limits\.TasksMax: /),
        status: ExitStatus.config,
      },
    ],
  ])("%s", async (_, team, member, content, refusal) => {
    const configuration = await asked(team, member, content);
    expect(configuration).toMatchObject({ ok: false, host: { scope: { manager: "user" } }, refusal });
  });

  test("but a host's file that is wrong says nothing", async () => {
    const configuration = await asked("alpha", undefined, { "nixgate.toml": "schema = 2\n" });
    expect(configuration).toMatchObject({
      ok: false,
      host: undefined,
      refusal: { reason: "policy-invalid", message: expect.stringMatching(/nixgate\.toml:1: schema: /) },
    });
  });
});
