package bind

import (
	"strings"

	"github.com/hpmq/hpmq/sdk/wit"
)

// transform writes the transform for asc.
func (a *asWriter) transform(o Options) string {
	t := &text{}
	t.line("// %s", note(o, a.w))
	t.line("%s", strings.ReplaceAll(transformHeadAS, "BASE", a.base))
	t.line("const names = {")
	t.in(func() {
		t.line("cabi_realloc: 'cabi_realloc',")
		for _, i := range a.w.Exports {
			for _, f := range i.Funcs {
				t.line("%s: '%s#%s',", a.exported(i, f), i.ID, f.Name)
			}
		}
	})
	t.line("};\n\n%s", strings.ReplaceAll(transformTailAS, "BASE", a.base))
	return t.String()
}

func (a *asWriter) exported(i *wit.Interface, f *wit.Func) string {
	return "export_" + snake(i.Name) + "_" + snake(f.Name)
}

const transformHeadAS = `// A transform for asc: asc SOURCE.ts --transform ./BASE.mjs
//
// It exports the functions of BASE_exports.ts by the names of the contracts, which are none of
// AssemblyScript. What would call env.abort traps: no host of components has that.`

const transformTailAS = `export default class {
  afterParse(parser) {
    for (const source of parser.sources) {
      const at = source.internalPath;
      if (at.endsWith('BASE_exports')) source.sourceKind = 1; // SourceKind.UserEntry
      if (!at.endsWith('BASE')) continue;
      this.program.options.globalAliases ??= new Map();
      this.program.options.globalAliases.set('abort', at + '/abort');
    }
  }

  afterCompile(module) {
    for (let i = module.getNumExports() - 1; i >= 0; i--) {
      const { name, value } = this.binaryen.getExportInfo(module.getExportByIndex(i));
      if (names[name] === undefined || names[name] === name) continue;
      module.removeExport(name);
      module.addFunctionExport(value, names[name]);
    }
  }
}`
