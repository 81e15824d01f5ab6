// fixtures.mjs JCO-DIR WIT-DIR WORK-DIR OUT-DIR
//
// Makes the components of host/wasm/plan/testdata of the core modules in WORK-DIR.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [jco, witPath, work, out] = process.argv.slice(2);
const modules = join(jco, 'node_modules/@bytecodealliance');
const { componentEmbed, componentNew } =
  await import(pathToFileURL(join(modules, 'jco/dist/api.js')).href);
const preview1 = await readFile(join(modules, 'jco/lib/wasi_snapshot_preview1.reactor.wasm'));

async function make(name, world, adapters = []) {
  const core = await readFile(join(work, `${name}.wasm`));
  const binary = await componentEmbed({ binary: core, witPath, world });
  const made = await componentNew(binary, adapters);
  await writeFile(join(out, `${name}.wasm`), made);
  return made;
}

await make('policy', 'policy');
await make('preview1', 'policy', [['wasi_snapshot_preview1', preview1]]);
const store = await make('store', 'store');
const user = await make('user', 'user');

// The binary format of components, as far as a composition of two needs it.
const u32 = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...u32(n >>> 7)]);
const vec = (items) => [...u32(items.length), ...items.flat()];
const name = (s) => [...u32(s.length), ...Buffer.from(s)];
const section = (id, body) => Buffer.from([id, ...u32(body.length), ...body]);
const component = 4, instance = 5, alias = 6, exported = 11;
const sortFunc = 1, sortInstance = 5;

const blobs = 'test:plan/blobs@0.1.0';
const plain = (s) => [0, ...name(s)];
await writeFile(join(out, 'composed.wasm'), Buffer.concat([
  Buffer.from('\0asm\x0d\0\x01\0', 'latin1'),
  section(component, store),
  section(component, user),
  section(instance, vec([[0, 0, ...vec([])]])),
  section(alias, vec([[sortInstance, 0, 0, ...name(blobs)]])),
  section(instance, vec([[0, 1, ...vec([[...name(blobs), sortInstance, 1]])]])),
  section(alias, vec([[sortFunc, 0, 2, ...name('run')]])),
  section(exported, vec([
    [...plain('run'), sortFunc, 0, 0],
    [...plain(blobs), sortInstance, 1, 0],
  ])),
]));
