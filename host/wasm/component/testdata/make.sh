#!/bin/sh
# make.sh turns cases.wat into cases.txt, a line a component: a digest of its text, "valid" or what
# the refusal says, and the binary. wasm-tools does it, as tools/wit-check.sh installs it (jco).
set -eu
cd "$(dirname "$0")"
jco=${JCO:-../../../../.tools/jco}
cat >make.mjs <<'END'
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
const api = resolve(process.argv[2], 'node_modules/@bytecodealliance/jco/dist/api.js');
const { parse } = await import(pathToFileURL(api).href);
const lines = [];
for (const block of readFileSync('cases.wat', 'utf8').split(/^;; (?=valid:|invalid:)/m).slice(1)) {
  const [head, ...text] = block.split('\n');
  const digest = createHash('sha256').update(`;; ${block}`.trimEnd()).digest('hex').slice(0, 16);
  let binary;
  try {
    binary = Buffer.from(await parse(text.join('\n'))).toString('base64');
  } catch (e) {
    console.error(`make: ${head}: ${e.payload ?? e.message ?? e}`);
    process.exit(1);
  }
  lines.push(`${digest}\t${head}\t${binary}\n`);
}
writeFileSync('cases.txt', lines.join(''));
console.log(`cases.txt: ${lines.length} components`);
END
trap 'rm -f make.mjs' EXIT
node make.mjs "$jco"
