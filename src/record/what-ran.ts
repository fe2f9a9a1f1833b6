import { shellWord } from "../units/text.ts";
import type { RecordOf } from "./schema.ts";

/** A line of a story holds no whole script. */
const LONGEST = 300;

/**
 * What a command was: the request, where that is what ran; otherwise what ran, and what had been asked for. A team that
 * may read only is asked for `--serve --write` like any other.
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

/** A request without what makes no difference to what runs: `exec`, the program's folder, quotes, more spaces than one. */
function bare(request: string): string {
  const text = request
    .replace(/['"\\]/g, "")
    .replace(/ +/g, " ")
    .trim();
  return text.replace(/^exec /, "").replace(/^\/(?:[^ /]+\/)*(?=[^ /]+(?: |$))/, "");
}
