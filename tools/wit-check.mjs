// wit-check.mjs JCO-DIR WIT-DIR COMPONENTS-DIR WORLDS-DIR WASI-DIR [--rewrite]
//
// Parses the contracts and compares an empty component of each world with the one in WORLDS-DIR,
// by which the tests of host/link know the contracts, those of an older version in
// WIT-DIR/deps/hpmq-broker-0.1 with those in WORLDS-DIR/0.1, and one of all of WASI 0.2 with that in
// WASI-DIR; --rewrite writes them anew. Then it makes a real component of each default component: wasm-tools refuses one whose exports or imports differ
// in name or signature from the world of its role.
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [jco, wit, components, emptyWorlds, wasi, rewrite] = process.argv.slice(2);
const modules = join(jco, 'node_modules/@bytecodealliance');
const load = (path) => import(pathToFileURL(join(modules, path)).href);
const { componentEmbed, componentNew, componentWit } = await load('jco/dist/api.js');
const adapter = await readFile(join(modules, 'jco/lib/wasi_snapshot_preview1.reactor.wasm'));

// step runs f; what it throws ends the check with a sentence.
async function step(what, f) {
  try {
    return await f();
  } catch (e) {
    console.error(`wit-check: ${what}: ${e.payload ?? e.message ?? e}`);
    process.exit(1);
  }
}

// empty compares an empty component of a world, with unstable features if asked for, with file.
async function empty(world, witPath, file, features) {
  await step(`world ${world}`, async () => {
    const core = await componentEmbed({ dummy: true, witPath, world, features });
    const made = await componentNew(core, []);
    await componentWit(made);
    if (rewrite) await writeFile(file, made);
    const known = await readFile(file).catch(() => Buffer.alloc(0));
    if (!known.equals(made)) {
      throw new Error(`${file} is not of this WIT: run tools/wit-check.sh --rewrite and commit`);
    }
  });
}

// version compares the worlds of one version of the contracts.
async function version(what, witPath, folder) {
  const worlds = (await readFile(join(witPath, 'worlds.wit'), 'utf8'))
    .match(/^world [a-z-]+/gm).map((line) => line.split(' ')[1]);
  if (rewrite) await mkdir(folder, { recursive: true });
  for (const world of worlds) {
    await empty(world, witPath, join(folder, `${world}.wasm`));
  }
  console.log(`${what}: ${worlds.length} worlds parse`);
}

await version('wit', wit, emptyWorlds);
const old = 'hpmq-broker-';
for (const name of await readdir(join(wit, 'deps')).catch(() => [])) {
  if (!name.startsWith(old)) continue;
  await version(`wit/deps/${name}`, join(wit, 'deps', name),
    join(emptyWorlds, name.slice(old.length)));
}
const everything = await mkdtemp(join(tmpdir(), 'wasi-'));
await cp(join(modules, 'jco/lib/wit/builtin/0.2.12'), join(everything, 'deps'), { recursive: true });
await cp(join(wasi, 'everything.wit'), join(everything, 'everything.wit'));
await empty('everything', everything, join(wasi, 'imports-0.2.12.wasm'), { tag: 'all' });
await rm(everything, { recursive: true });

const folders = await readdir(components, { withFileTypes: true });
for (const { name } of folders.filter((e) => e.isDirectory() && e.name.includes('-'))) {
  await step(name, async () => {
    const binary = await readFile(join(components, name, `${name}.wasm`));
    const way = binary.includes('-by-handle@') ? '-by-handle' : '';
    const manifest = await readFile(join(components, name, 'manifest.json'), 'utf8');
    const world = JSON.parse(manifest).contract
      .replace('@', `/${name.split('-')[0]}${way}-component@`);
    const core = await componentEmbed({ binary, witPath: wit, world });
    const made = await componentNew(core, [['wasi_snapshot_preview1', adapter]]);
    const text = await componentWit(made);
    const faces = text.match(/^ *(import|export) hpmq:broker\/[a-z-]+/gm)
      .map((line) => line.trim().replace('hpmq:broker/', ''));
    console.log(`${name}: ${faces.join(', ')}`);
  });
}
