import { spawn, spawnSync } from "node:child_process";
import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { nixgate } from "../support/nixgate.ts";
import { bodies, sessionLines } from "../support/records.ts";
import { session } from "../support/run-session.ts";
import { temporaryFolder, writeArchive } from "../support/temporary.ts";
import { waitFor } from "../support/wait-for.ts";
import { workplace } from "../support/workplace.ts";

const has = (program: string) => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;

const today = new Date().toISOString().slice(0, 10);
const before = new Date(Date.parse(today) - 3_600_000).toISOString();
const evening = sessionLines(before);
const oom = sessionLines(`${today}T00:00:00Z`, [
  bodies.start,
  bodies.run,
  { ...bodies.ran, cause: "oom", usage: { cpu_ms: 1500, memory_peak_bytes: 1_000_000, oom_kills: 2 } },
  bodies.end,
]);

const rendered = async (log: string) => (await nixgate(["render", "prometheus", "--log-dir", log])).stdout.toString();

test("counts today's records, also of sessions that began yesterday, and nothing older", async () => {
  const atMidnight = sessionLines(Date.parse(today) - 1500); // its records are a second apart
  const log = writeArchive({
    [`alpha/${today}`]: oom.lines.join(""),
    [`alpha/${before.slice(0, 10)}`]: [...evening.lines, ...atMidnight.lines, "torn\n"].join(""),
  });
  const text = await rendered(log);
  expect(text).toContain('nixgate_sessions_total{team="alpha"} 1\n');
  expect(text).toContain('nixgate_sessions_ended_total{team="alpha",cause="exit"} 2\n');
  expect(text).toContain('nixgate_commands_ended_total{team="alpha",cause="exit"} 1\n');
  expect(text).toContain('nixgate_commands_ended_total{team="alpha",cause="oom"} 1\n');
  expect(text).toContain('nixgate_commands_cpu_seconds_total{team="alpha"} 4.6\n');
  expect(text).toContain('nixgate_commands_oom_kills_total{team="alpha"} 2\n');
  expect(text).toContain('nixgate_commands_memory_peak_bytes{team="alpha"} 851443712\n');
  expect(text).toContain('nixgate_record_lines_unreadable{team="alpha"} 1\n');
  expect(text).not.toContain("read_bytes"); // no kernel said
});

test.skipIf(!has("promtool"))("promtool finds nothing to say about it (needs promtool)", async () => {
  const log = writeArchive({ [`alpha/${today}`]: oom.lines.join(""), [`beta/${today}`]: evening.lines.join("") });
  const input = await rendered(log);
  expect(spawnSync("promtool", ["check", "metrics"], { input, encoding: "utf8" })).toMatchObject({
    status: 0,
    stdout: "",
    stderr: "",
  });
});

test("--output replaces the file whole, whatever lies there, and leaves nothing beside it", async () => {
  const folder = temporaryFolder("textfile");
  const log = writeArchive({ [`alpha/${today}`]: oom.lines.join("") });
  const file = join(folder, "nixgate.prom");
  writeFileSync(join(folder, "elsewhere"), "mine");
  symlinkSync("elsewhere", file);
  const { status, stderr } = await nixgate(["render", "prometheus", "--log-dir", log, "--output", file]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(readFileSync(join(folder, "elsewhere"), "utf8")).toBe("mine");
  expect(lstatSync(file).isFile()).toBe(true);
  expect(lstatSync(file).mode & 0o777).toBe(0o644);
  expect(readFileSync(file, "utf8")).toBe(await rendered(log));
  expect(readdirSync(folder).sort()).toEqual(["elsewhere", "nixgate.prom"]);
});

test("a folder that does not exist is refused with 73 and the path", async () => {
  const words = ["render", "prometheus", "--log-dir", writeArchive({}), "--output", "/nowhere/nixgate.prom"];
  expect(await nixgate(words)).toMatchObject({ status: 73, stderr: expect.stringContaining("/nowhere/nixgate.prom") });
});

const exporter = "prometheus-node-exporter";
test.skipIf(!has(exporter))(
  `what real sessions did arrives at the real node_exporter (needs ${exporter})`,
  async () => {
    const place = workplace();
    place.allow("echo", ["/bin/echo", "ran"]);
    for (const request of ["echo", "echo", "forbidden"]) await session(place, { request });
    const folder = join(place.folder, "textfile");
    mkdirSync(folder);
    const output = join(folder, "nixgate.prom");
    const { status } = await nixgate(["render", "prometheus", "--config-dir", place.config, "--output", output]);
    expect(status).toBe(0);
    const port = await freePort();
    const words = [
      "--collector.disable-defaults",
      "--collector.textfile",
      `--collector.textfile.directory=${folder}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    const running = spawn(exporter, words, { stdio: "ignore" });
    onTestFinished(() => void running.kill());
    const metrics = await waitFor("node_exporter", async () => {
      try {
        return await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      } catch {
        return undefined;
      }
    });
    expect(metrics).toContain('nixgate_sessions_total{team="alpha"} 3\n');
    expect(metrics).toContain('nixgate_requests_denied_total{reason="not-allowlisted",team="alpha"} 1\n');
    expect(metrics).toContain(`node_textfile_mtime_seconds{file="${output}"} `); // an alert needs it
    expect(metrics).toContain("node_textfile_scrape_error 0\n");
  },
);
