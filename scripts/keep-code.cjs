// keep-code.cjs WORD…: does what nixgate does with these words, and keeps what V8 compiled for it in dist/*.cache: the
// functions that were called are in it, the others are compiled when they are called.
const { writeFileSync } = require("node:fs");

process.on("exit", (status) => {
  if (status === 0) writeFileSync(loaded.filename.replace(/cjs$/, "cache"), loaded.script.createCachedData());
});
const loaded = require("../bin/nixgate.cjs");
