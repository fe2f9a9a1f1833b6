// node test/support/write-readme-tables.ts: writes the table that is made from the code into README.md. Afterwards
// `npm run format` aligns its columns.
import { writeFileSync } from "node:fs";
import { README } from "./markdown.ts";
import { withRecordFields } from "./record-fields-table.ts";

writeFileSync("README.md", withRecordFields(README));
