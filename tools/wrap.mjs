// wrap.mjs JCO-DIR WIT-DIR WORLD ENCODING CORE OUT
//
// Makes the component OUT of the core module CORE. ENCODING is of its strings: utf8, utf16 or
// compact-utf16. What CORE imports from WASI preview 1 is served by jco's adapter.
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [jco, wit, world, stringEncoding, core, out] = process.argv.slice(2);
const modules = join(jco, 'node_modules/@bytecodealliance');
const { componentEmbed, componentNew } =
  await import(pathToFileURL(join(modules, 'jco/dist/api.js')).href);

try {
  const binary = await readFile(core);
  const embedded = await componentEmbed({
    binary, witPath: resolve(wit), world, stringEncoding,
  });
  const preview1 = 'wasi_snapshot_preview1';
  const adapters = binary.includes(preview1)
    ? [[preview1, await readFile(join(modules, `jco/lib/${preview1}.reactor.wasm`))]] : [];
  await writeFile(out, await componentNew(embedded, adapters));
} catch (e) {
  console.error(`wrap: ${core}: ${e.payload ?? e.message ?? e}`);
  process.exit(1);
}
