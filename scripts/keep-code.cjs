// keep-code.cjs WORD…: runs nixgate with these words and stores the code that V8 compiled in dist/*.cache. It holds the
// functions that were called. V8 compiles the others when they are called.
const { writeFileSync } = require("node:fs");

process.on("exit", (status) => {
  if (status === 0) writeFileSync(loaded.filename.replace(/cjs$/, "cache"), loaded.script.createCachedData());
});
const loaded = require("../bin/nixgate.cjs");
