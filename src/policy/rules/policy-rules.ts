import { basename, extname } from "node:path";
import { teamName } from "../../units/ids.ts";
import { errorAt, type PolicyFinding } from "../problem.ts";
import type { PolicyFile } from "../schema/policy-schema.ts";
import { allowFindings, twice } from "./allow-rules.ts";
import { buildFindings } from "./build-rules.ts";
import { limitFindings, withDefaultLimits } from "./limit-rules.ts";

/** Room for an endpoint's words and a short store URI. A lower limit would refuse real requests. */
const SHORTEST_LINE = 64;
/** Far above the longest request of any client. */
const LONGEST_LINE = 65_536;

/** The problems of a policy beyond the types of its keys, as far as its own file shows them. */
export function policyFindings(file: PolicyFile, path: string): readonly PolicyFinding[] {
  return [
    ...nameFindings(file, path),
    ...allowFindings(file.allow ?? []),
    ...limitFindings(withDefaultLimits(file.limits), file.team_limits ?? {}, file.limits ?? {}),
    ...sessionFindings(file),
    ...storeFindings(file),
    ...buildFindings(file),
    ...memberFindings(file),
  ];
}

function nameFindings({ team }: PolicyFile, path: string): readonly PolicyFinding[] {
  const name = basename(path).replace(/\.(?:toml|json)$/, "");
  if (name === team) return [];
  const rename = `rename the file to ${team}${extname(path)}`;
  const fix = teamName(name) === undefined ? rename : `write team = "${name}", or ${rename}`;
  return [errorAt(["team"], `"${team}" is not the file's name`, fix)];
}

function sessionFindings({ session }: PolicyFile): readonly PolicyFinding[] {
  const bytes = session?.line_max_bytes;
  if (bytes === undefined || (bytes >= SHORTEST_LINE && bytes <= LONGEST_LINE)) return [];
  const message = `${bytes} is not between ${SHORTEST_LINE} and ${LONGEST_LINE}`;
  return [errorAt(["session", "line_max_bytes"], message, "write 4096, which every known client stays below")];
}

function storeFindings({ store }: PolicyFile): readonly PolicyFinding[] {
  if (store?.mode === "dedicated" && store.root === undefined)
    return [errorAt(["store", "root"], "is missing for a dedicated store", 'add root = "/srv/nixgate/<team>"')];
  if (store?.mode !== "dedicated" && store?.root !== undefined)
    return [errorAt(["store", "root"], "belongs to a dedicated store", 'write mode = "dedicated", or remove it')];
  return [];
}

function memberFindings({ member = [] }: PolicyFile): readonly PolicyFinding[] {
  const names = member.map(({ name }) => name);
  return member.flatMap(({ name, from = [], principals = [] }, index) => [
    ...(names.indexOf(name) < index
      ? [errorAt(["member", index, "name"], `"${name}" occurs twice`, "give each member a name of its own")]
      : []),
    ...twice(from, ["member", index, "from"]),
    ...twice(principals, ["member", index, "principals"]),
    ...ofAnother(member, index),
  ]);
}

/** A certificate with such a principal would be either member's. */
function ofAnother(members: NonNullable<PolicyFile["member"]>, index: number): readonly PolicyFinding[] {
  return (members[index]?.principals ?? []).flatMap((name, position) => {
    const other = members.slice(0, index).find(({ principals = [] }) => principals.includes(name));
    if (!other) return [];
    const message = `"${name}" is already a principal of "${other.name}"`;
    return [errorAt(["member", index, "principals", position], message, "give each member principals of its own")];
  });
}
