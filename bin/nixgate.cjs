// Loads dist/nixgate.cjs, or for what sshd starts dist/nixgate-session.cjs, with the code that V8 made of it when it was
// built: compiling it anew at each start takes longer than a whole session needs otherwise. V8 takes the cache only where
// its version, its flags and the length of the text are the same, and compiles as usual where they are not. Who can write
// to dist can write the program. Either file is one expression, the function of a CommonJS module: if it were put around
// the text here, there would be two such texts.
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
  // a build without it
}
const script = new Script(source, { filename, cachedData });
script.runInThisContext().call(exports, exports, require, module, filename, dirname(filename));
module.exports = { filename, script }; // for the build, which makes the cache
