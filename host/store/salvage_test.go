package store

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hpmq/hpmq/lite/broker"
)

// flip changes one bit in the middle of the largest file of a database.
func flip(t *testing.T, dir string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "db", "*.sst"))
	if err != nil {
		t.Fatal(err)
	}
	var largest string
	var data []byte
	for _, path := range paths {
		b, err := os.ReadFile(filepath.Clean(path))
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > len(data) {
			largest, data = path, b
		}
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(largest, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// One bit of the database is not what it was: what is there cannot be read and is told of, the
// broker starts, a check finds it, and all else can be saved.
func TestABitOfTheDatabaseIsWrong(t *testing.T) {
	const sessions, each = 20, 10
	c := diskConfig(t)
	var told atomic.Int64
	c.Trouble = func(err error) {
		text := err.Error()
		if strings.Contains(text, "--skip-damaged") && strings.Contains(text, ".sst") {
			told.Add(1)
		}
	}
	k := openDisk(t, c)
	noise := rand.NewChaCha8([32]byte{1})
	for num := uint32(1); num <= sessions; num++ {
		ops := []broker.Op{{Kind: broker.OpPutSession, Num: num, Key: string(rune('a' + num))}}
		for seq := uint64(1); seq <= each; seq++ {
			body := make([]byte, 1000)
			_, _ = noise.Read(body)
			ops = append(ops, broker.Op{Kind: broker.OpPush, Num: num, Seq: seq, Body: body})
		}
		k.write(ops...)
	}
	if err := k.disk.Close(); err != nil {
		t.Fatal(err)
	}
	flip(t, c.Dir)
	k.again()
	if last, err := k.disk.LastSession(); err != nil || last != sessions {
		t.Errorf("last session %d, %v", last, err)
	}
	good := 0
	for num := uint32(1); num <= sessions; num++ {
		q := broker.Query{Num: num, Max: 100, BytesMax: 1 << 30}
		if recs, err := k.disk.find(&q); err == nil {
			good += len(recs)
		}
	}
	st := k.disk.Stats()
	if good < each*sessions/2 || good == each*sessions || st.Damaged != 1 || told.Load() != 1 {
		t.Errorf("%d messages of good sessions, told %d times, %+v", good, told.Load(), st)
	}
	k.write(push(sessions, each+1, "goes on"))
	left, queued, heads := 0, 0, 0
	err := k.disk.WalkLeft(func(p Part) error {
		switch p.Kind {
		case PartQueued:
			queued++
		case PartSession:
			heads++
		}
		return nil
	}, func(error) { left++ })
	if err != nil || left == 0 || heads != sessions || queued <= good || queued > each*sessions {
		t.Errorf("saved %d sessions, %d messages, left out %d places, %v", heads, queued, left, err)
	}
	if err := k.disk.Close(); err != nil {
		t.Fatal(err)
	}
	rep, err := CheckDir(c.Dir)
	if !errors.Is(err, ErrFaults) || rep.Queued != queued || rep.FaultsFound == 0 {
		t.Errorf("check: %d messages, %q, %v", rep.Queued, rep.Faults, err)
	}
	k.again()
}
