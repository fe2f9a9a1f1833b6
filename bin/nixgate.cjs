// Loads dist/nixgate.cjs, or for sshd dist/nixgate-session.cjs, with the code that V8 compiled at build time. Compiling
// at each start takes longer than the rest of a session. V8 accepts the cache only where its version, its flags and the
// length of the text are the same; otherwise it compiles as usual. A user who can write to dist can replace the program
// anyway. Each file is one expression, the function of a CommonJS module: wrapping it here would create a second copy
// of the text.
const { readFileSync } = require("node:fs");
const { dirname, join } = require("node:path");
const { Script } = require("node:vm");

const isSession = ["session", "read-request"].includes(process.argv[2]);
const filename = join(dirname(__dirname), `dist/nixgate${isSession ? "-session" : ""}.cjs`);
const source = readFileSync(filename, "utf8");
let cachedData;
try {
  cachedData = readFileSync(filename.replace(/cjs$/, "cache"));
} catch {
  // a build without a code cache
}
const script = new Script(source, { filename, cachedData });
script.runInThisContext().call(exports, exports, require, module, filename, dirname(filename));
module.exports = { filename, script }; // the build uses this to make the cache
