// node test/support/write-doc-tables.ts: writes the tables that are made from the code into docs/commands.md and
// docs/records.md. Afterwards `npm run format`.
import { writeFileSync } from "node:fs";
import { withCommands } from "./commands-table.ts";
import { page } from "./markdown.ts";
import { withRecordFields } from "./record-fields-table.ts";

writeFileSync("docs/commands.md", await withCommands(page("commands")));
writeFileSync("docs/records.md", withRecordFields(page("records")));
