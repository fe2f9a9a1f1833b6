import { shellWord } from "../units/text.ts";
import type { RecordOf } from "./schema.ts";

/** A line of a session's story has no room for a whole script. */
const LONGEST = 300;

/**
 * The words for a command: the request where the program ran it exactly, otherwise the program and the request. A
 * client asks a team with `read_only` for `--serve --write` as it asks any other.
 */
export function whatRan({ argv, request }: Pick<RecordOf<"command.start">, "argv" | "request">): string {
  const [program = "", ...words] = argv;
  const name = program.slice(program.lastIndexOf("/") + 1);
  const ran = [name, ...words].map(shellWord).join(" ");
  const asked = bare(request);
  if (asked === bare(ran)) return request;
  const isReader = asked.replace(/ --serve --write(?= |$)/, " --serve") === bare(ran);
  const short = ran.length > LONGEST ? `${[...ran].slice(0, LONGEST).join("")}…` : ran;
  const rest = request.startsWith(`${name} `) ? request.slice(name.length + 1) : request;
  return `${short}, asked for ${rest}${isReader ? " (read only)" : ""}`;
}

/**
 * A request without the parts that do not change the command: `exec`, the program's folder, quotes, repeated spaces.
 */
function bare(request: string): string {
  const text = request
    .replace(/['"\\]/g, "")
    .replace(/ +/g, " ")
    .trim();
  return text.replace(/^exec /, "").replace(/^\/(?:[^ /]+\/)*(?=[^ /]+(?: |$))/, "");
}
