// node test/support/write-record-schema.ts: writes docs/record.schema.json, which is made from the code. Afterwards
// `npm run format` lays it out.
import { writeFileSync } from "node:fs";
import { jsonSchema } from "../../src/record/describe-fields.ts";

writeFileSync("docs/record.schema.json", JSON.stringify(jsonSchema(), null, 2));
