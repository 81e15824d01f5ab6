package store

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/hpmq/hpmq/lite/broker"
)

// makeNewest makes the store of the newest version anew. It must not be used once that version is
// released: what later programs must read is what the program of then wrote.
var makeNewest = flag.Bool("make-newest", false, "write the newest of testdata/version-N anew")

func newest() int { return firstVersion + len(migrations()) }

func versionDir(n int) string { return filepath.Join("testdata", fmt.Sprintf("version-%d", n)) }

// TestVersions opens a store that a program of each version left, part of it in the journal alone,
// and finds all of it. Each later version adds a folder of its own and keeps those before.
func TestVersions(t *testing.T) {
	if *makeNewest {
		makeVersion(t, versionDir(newest()))
	}
	for n := firstVersion; n <= newest(); n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) { testVersion(t, versionDir(n)) })
	}
}

func testVersion(t *testing.T, dir string) {
	c := diskConfig(t)
	if err := os.CopyFS(c.Dir, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	k := openDisk(t, c)
	if v, err := versionOf(k.disk.db); err != nil || v != newest() {
		t.Errorf("version %d, %v", v, err)
	}
	rep, err := k.disk.Check()
	if err != nil || rep.FaultsFound > 0 || rep.Sessions != 2 || rep.Queued != 4 ||
		rep.Shared != 1 || rep.InFlight != 1 || rep.Received != 1 || rep.Retained != 2 {
		t.Errorf("%+v, %v", rep, err)
	}
	if recs := k.find(broker.Query{Num: 1, Whole: true, Max: 10}); len(recs) != 5 {
		t.Errorf("session 1: %d records", len(recs))
	}
	k.want(broker.Query{Filter: "a/+"}, "retain a/b 1, retain a/c 2")
	if n := len(endings(t, k.disk)); n != 1 {
		t.Errorf("%d messages are known to expire", n)
	}
}

func makeVersion(t *testing.T, to string) {
	c := diskConfig(t)
	k := openDisk(t, c)
	large := bytes.Repeat([]byte("x"), 3000)
	k.write(
		broker.Op{Kind: broker.OpPutSession, Num: 1, Key: "one", Value: []byte("state")},
		broker.Op{Kind: broker.OpPutSession, Num: 2, Key: "two", Value: []byte("state")},
		broker.Op{Kind: broker.OpPush, Num: 1, Seq: 1 << 40, Body: large, Expire: 1 << 50},
		broker.Op{Kind: broker.OpPush, Num: 2, Seq: 1 << 40, Body: large},
		retain("a/b", "1", 1<<50),
	)
	if err := k.disk.db.Flush(); err != nil {
		t.Fatal(err)
	}
	k.write(
		push(1, 1<<40+1, "small"), push(2, 1<<40+1, "small"), retain("a/c", "2", 0),
		broker.Op{Kind: broker.OpFlight, Num: 1, Seq: 1<<40 + 1, Value: []byte{1, 0, 7}},
		seqOp(broker.OpReceived, 1, 7),
	)
	k.kill()
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(to, os.DirFS(c.Dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(to, "db", "LOCK")); err != nil {
		t.Fatal(err)
	}
	k.again()
}
