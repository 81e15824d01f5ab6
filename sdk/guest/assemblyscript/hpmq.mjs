// A transform for asc: asc policy.ts --transform hpmq.mjs
//
// The files in assembly/exports that a component takes in export their functions, as the entry file
// does, and those get the names of the contracts, which are none of AssemblyScript:
// hpmq_authorizer_authorize becomes hpmq:broker/authorizer@0.1.0#authorize. What would call env.abort
// traps: no host of components has that.
const VERSION = '0.1.0';
const ENTRY = 1; // SourceKind.UserEntry

export default class {
  afterParse(parser) {
    for (const source of parser.sources) {
      if (/(^|\/)assembly\/abi$/.test(source.internalPath)) {
        const { options } = this.program;
        options.globalAliases ??= new Map();
        options.globalAliases.set('abort', `${source.internalPath}/abort`);
      }
      if (/(^|\/)assembly\/exports\/[a-z]+$/.test(source.internalPath)) source.sourceKind = ENTRY;
    }
  }

  afterCompile(module) {
    const found = [];
    for (let i = 0; i < module.getNumExports(); i++) {
      found.push(this.binaryen.getExportInfo(module.getExportByIndex(i)));
    }
    for (const { name, value } of found) {
      const [, face, fn] = /^hpmq_([a-z]+)_(.+)$/.exec(name) ?? [];
      if (!face) continue;
      module.removeExport(name);
      module.addFunctionExport(value, `hpmq:broker/${face}@${VERSION}#${fn.replaceAll('_', '-')}`);
    }
  }
}
