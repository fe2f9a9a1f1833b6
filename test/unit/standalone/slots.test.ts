import { expect, test } from "vitest";
import { takenSlots } from "../../../src/standalone/slots.ts";

const listing = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 28840 @nixgate/team-alpha@0123456789ab/3
0000000000000000: 00000003 00000000 00000000 0001 03 28841 @nixgate/team-alpha@0123456789ab/3
0000000000000000: 00000002 00000000 00010000 0001 01 28842 @nixgate/team-alpha@0123456789ab/12
0000000000000000: 00000002 00000000 00010000 0001 01 28843 @nixgate/team-beta@0123456789ab/1
0000000000000000: 00000002 00000000 00010000 0001 01 28844 @nixgate/host@0123456789ab/7
0000000000000000: 00000002 00000000 00010000 0001 01 28845 @nixgate/team-alpha@0123456789ab/x
0000000000000000: 00000002 00000000 00010000 0001 01 28846 /run/@nixgate/team-alpha@0123456789ab/5
0000000000000000: 00000003 00000000 00000000 0001 03   643
`;

test.each([
  ["team-alpha@0123456789ab", [3, 12]],
  ["team-beta@0123456789ab", [1]],
  ["team-alpha", []],
  ["host@0123456789ab", [7]],
  ["host@ba9876543210", []],
])("the places of %s that are taken are %j", (name, numbers) => {
  expect([...takenSlots(listing, name)]).toEqual(numbers);
});
