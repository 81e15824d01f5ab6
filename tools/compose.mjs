// compose.mjs GIVER USER INSTANCE FUNCTION OUT
//
// Makes a component of two: GIVER's exported INSTANCE is what USER imports by that name. OUT exports
// the bare FUNCTION of USER, and INSTANCE.
import { readFile, writeFile } from 'node:fs/promises';

const [giver, user, given, exported, out] = process.argv.slice(2);

// The binary format of components, as far as this needs it.
const u32 = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...u32(n >>> 7)]);
const vec = (items) => [...u32(items.length), ...items.flat()];
const name = (s) => [...u32(s.length), ...Buffer.from(s)];
const section = (id, body) => Buffer.from([id, ...u32(body.length), ...body]);
const component = 4, instance = 5, alias = 6, exports = 11;
const sortFunc = 1, sortInstance = 5;

await writeFile(out, Buffer.concat([
  Buffer.from('\0asm\x0d\0\x01\0', 'latin1'),
  section(component, await readFile(giver)),
  section(component, await readFile(user)),
  section(instance, vec([[0, 0, ...vec([])]])),
  section(alias, vec([[sortInstance, 0, 0, ...name(given)]])),
  section(instance, vec([[0, 1, ...vec([[...name(given), sortInstance, 1]])]])),
  section(alias, vec([[sortFunc, 0, 2, ...name(exported)]])),
  section(exports, vec([
    [0, ...name(exported), sortFunc, 0, 0],
    [0, ...name(given), sortInstance, 1, 0],
  ])),
]));
