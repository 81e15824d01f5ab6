package guests

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/hpmq/hpmq/conformance/guests/policy"
	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/host/wasm"
)

// built names a folder with what is too large to be committed, engines with a script inside:
// guests/LANGUAGE of tools/guests.sh, sdk/LANGUAGE of tools/sdk.sh. `make guests` asks them.
var built = flag.String("built", "", "the folder .tools, with guests and sdk in it")

const (
	// roomy is what a language with its whole runtime inside takes at most.
	roomy = 256 << 20
	// patient is for a script that looks at each of 64 KiB.
	patient = 20_000_000_000
)

func TestBuiltGuestsAnswerTheCases(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(*built, "guests", "*", "*.wasm"))
	if err != nil || *built != "" && len(files) == 0 {
		t.Fatalf("no guests in %s: %v", *built, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file), func(t *testing.T) {
			code, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			askBuilt(t, file, code)
		})
	}
}

// askBuilt links the guest as an operator would: with all that it wants and more room.
func askBuilt(t *testing.T, file string, code []byte) {
	t.Helper()
	cfg := wasm.Default()
	cfg.FuelMax, cfg.StartFuelMax, cfg.MemoryBytesMax = patient, patient, roomy
	cfg.CacheDir = filepath.Join(*built, "cache")
	l := policyLinker(t, engineOf(t, cfg))
	ref := link.Ref{
		Use: file, Code: code, Config: json.RawMessage("{}"), OnFault: link.FaultClosed,
		Grants: []string{"config", "log", "kv", "history", "publish"},
		Limits: link.Limits{Fuel: patient, StartFuel: patient, MemoryBytesMax: roomy},
	}
	spec := link.Spec{link.RoleAuthorizer: {ref}, link.RoleTransformer: {ref}}
	if err := l.Link(t.Context(), "main", spec); err != nil {
		t.Fatal(err)
	}
	for _, c := range goldenCases(t) {
		judgeLinked(t, file, l.Policy("main", 0), &c)
	}
	r := rand.New(rand.NewPCG(4, 8))
	for i := range 200 {
		c := policy.Random(r)
		c.About = fmt.Sprintf("question %d", i)
		judgeLinked(t, file, l.Policy("main", 0), &c)
	}
	noFaults(t, l)
}
