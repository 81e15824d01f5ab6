package oci

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sample is a layout of one manifest with a signature of it.
func sample(t testing.TB) (l *Layout, signed Descriptor) {
	t.Helper()
	l = New()
	add := func(mediaType, text string) Descriptor {
		d, err := l.Add(mediaType, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	signed, err := l.AddManifest(Manifest{
		ArtifactType: "text/a", Config: add("text/config", "config"),
		Layers: []Descriptor{add("text/layer", "one"), add("text/layer", "two")},
	}, map[string]string{AnnotationRefName: "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.AddManifest(Manifest{
		ArtifactType: "text/signature", Config: add(MediaTypeEmpty, string(EmptyJSON())),
		Layers: []Descriptor{add("text/envelope", "signed")}, Subject: &signed,
	}, nil); err != nil {
		t.Fatal(err)
	}
	return l, signed
}

// goldenTar is the digest of sample as a tar.
const goldenTar = "sha256:d4412c2f6d0bc0500f763465724054c58e1e0331db23cbdb6aefb326ab8c38f5"

func tarOf(t testing.TB, l *Layout) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := l.WriteTar(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A layout is the same wherever it stood, and as a tar the same to the byte.
func TestThereAndBack(t *testing.T) {
	l, signed := sample(t)
	first := tarOf(t, l)
	// Not of today: a tar says no time.
	if got := DigestOf(first); got != goldenTar {
		t.Errorf("the tar has digest %s, want %s", got, goldenTar)
	}
	dir := t.TempDir()
	for _, path := range []string{"folder", "file.tar", "folder"} {
		path = filepath.Join(dir, path)
		if err := l.Save(path); err != nil {
			t.Fatal(err)
		}
		var err error
		if l, err = Open(path); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		if got := tarOf(t, l); !bytes.Equal(got, first) {
			t.Errorf("%s: another tar", path)
		}
	}
	of, err := l.Referrers(signed.Digest, "text/signature")
	if err != nil || len(of) != 1 || of[0].ArtifactType != "text/signature" {
		t.Errorf("referrers: %v, %v", of, err)
	}
	if none, err := l.Referrers(signed.Digest, "text/other"); err != nil || none != nil {
		t.Errorf("referrers of another type: %v, %v", none, err)
	}
	l.Unlist(of[0].Digest)
	if got := l.Manifests(); len(got) != 1 || got[0].Annotations[AnnotationRefName] != "1.0.0" {
		t.Errorf("after unlist: %v", got)
	}
}

// What is written over a damaged folder is whole.
func TestSaveMendsABlob(t *testing.T) {
	l, signed := sample(t)
	dir := t.TempDir()
	blob := filepath.Join(dir, "blobs", "sha256", signed.Digest.Hex())
	for _, damage := range []func() error{
		func() error { return nil },
		func() error { return os.WriteFile(blob, make([]byte, signed.Size), 0o600) },
		func() error { return errors.Join(os.Remove(blob), os.Symlink("/nowhere", blob)) },
	} {
		if err := errors.Join(damage(), l.Save(dir)); err != nil {
			t.Fatal(err)
		}
		again, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := again.Manifest(signed); err != nil {
			t.Error(err)
		}
		_ = again.Close()
	}
}

// A folder that holds something else stays as it is.
func TestSaveLeavesWhatIsNoLayout(t *testing.T) {
	l, _ := sample(t)
	dir := t.TempDir()
	index := filepath.Join(dir, indexName)
	if err := os.WriteFile(index, []byte("of a web page"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.Save(dir); !errors.Is(err, ErrLayout) ||
		!strings.Contains(err.Error(), "name a folder that is empty") {
		t.Error(err)
	}
	if text, err := os.ReadFile(index); err != nil || string(text) != "of a web page" {
		t.Errorf("%q, %v", text, err)
	}
	// What was not written to its end may be written again.
	if err := errors.Join(os.Remove(index), os.Mkdir(filepath.Join(dir, "blobs"), 0o700),
		l.Save(dir), l.Save(dir)); err != nil {
		t.Error(err)
	}
}

// entry is one of a tar that a test writes.
type entry struct {
	name, text string
	flag       byte
	size       int64 // if not that of the text
}

func pack(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Typeflag: e.flag, Size: int64(len(e.text)), Mode: 0o644}
		switch {
		case e.flag == 0:
			h.Typeflag = tar.TypeReg
		case e.flag != tar.TypeReg:
			h.Linkname = "/etc/passwd"
		}
		if e.size != 0 {
			h.Size = e.size
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.text)); err != nil {
			t.Fatal(err)
		}
	}
	_ = w.Flush() // what promises more than it has cannot be closed
	return append(out.Bytes(), make([]byte, 1024)...)
}

// index is an index.json that lists that.
func index(manifests string) entry {
	return entry{name: indexName, text: `{"schemaVersion":2,"manifests":[` + manifests + `]}`}
}

func TestTarsAreRefused(t *testing.T) {
	mark := entry{name: markerName, text: string(marker())}
	blob := entry{name: blobsFolder + DigestOf([]byte("a")).Hex(), text: "a"}
	many := make([]entry, 0, headersMax+1)
	for range headersMax + 1 {
		many = append(many, entry{name: "blobs/", flag: tar.TypeDir})
	}
	descriptor := fmt.Sprintf(`{"mediaType":%q,"digest":"%s","size":1}`, MediaTypeManifest,
		DigestOf([]byte("a")))
	for name, c := range map[string]struct {
		in   []byte
		want string
	}{
		"nothing":     {nil, "there is no oci-layout in the tar"},
		"no tar":      {[]byte(strings.Repeat("text", 1000)), "nor a whole tar"},
		"no index":    {pack(t, mark), "there is no index.json"},
		"up":          {pack(t, mark, entry{name: "../evil"}), `"../evil" in the tar has no place`},
		"blob up":     {pack(t, entry{name: blobsFolder + "../../../x"}), "has no place"},
		"absolute":    {pack(t, entry{name: "/etc/passwd"}), "has no place"},
		"link":        {pack(t, entry{name: indexName, flag: tar.TypeSymlink}), "is not a file"},
		"hard link":   {pack(t, entry{name: indexName, flag: tar.TypeLink}), "is not a file"},
		"device":      {pack(t, entry{name: "blobs", flag: tar.TypeChar}), "is not a file"},
		"folder":      {pack(t, entry{name: "other/", flag: tar.TypeDir}), "is not a file"},
		"twice":       {pack(t, blob, blob), "is twice in the tar"},
		"twice index": {pack(t, index(""), index("")), "is twice in the tar"},
		"many":        {pack(t, many...), "more than 1032 entries"},
		"other blob":  {pack(t, entry{name: blob.name, text: "b"}), "not what its digest says"},
		"bomb": {pack(t, entry{name: blob.name, size: BlobBytesMax + 1}),
			"has 67108865 bytes; at most 67108864"},
		"large index": {pack(t, entry{name: indexName, size: DocumentBytesMax + 1}),
			"at most 4194304 are read"},
		"cut":        {pack(t, entry{name: blob.name, text: "a", size: 9999}), "in the middle of"},
		"old layout": {pack(t, entry{name: markerName, text: "{}"}, index("")), "version 1.0.0"},
		"index text": {pack(t, mark, entry{name: indexName, text: "x"}), "index.json: invalid"},
		"old index":  {pack(t, mark, entry{name: indexName, text: "{}"}), "schema version 0"},
		"no digest":  {pack(t, mark, index(`{"digest":"sha256:1"}`)), "is no digest"},
		"nested index": {pack(t, mark,
			index(strings.Replace(descriptor, ".manifest.", ".index.", 1))),
			"want application/vnd.oci.image.manifest.v1+json alone"},
		"long index": {pack(t, mark,
			index(strings.Repeat(descriptor+",", ManifestsMax)+descriptor)),
			"lists 257 manifests"},
	} {
		_, err := ReadTar(bytes.NewReader(c.in))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\n got %v\nwant %s", name, err, c.want)
		}
		if !errors.Is(err, ErrLayout) && !errors.Is(err, ErrDigest) {
			t.Errorf("%s: %v is of no kind", name, err)
		}
	}
	if _, err := ReadTar(bytes.NewReader(pack(t, entry{name: "./blobs/", flag: tar.TypeDir},
		entry{name: "./" + indexName, text: index(descriptor).text}, mark, blob))); err != nil {
		t.Error("a good one:", err)
	}
}

func TestFoldersAreRefused(t *testing.T) {
	one := DigestOf([]byte("one"))
	for name, c := range map[string]struct {
		damage func(dir, blob string) error
		want   string
	}{
		"no marker": {func(dir, _ string) error {
			return os.Remove(filepath.Join(dir, markerName))
		}, "there is no file oci-layout in it"},
		"index is a folder": {func(dir, _ string) error {
			return errors.Join(os.Remove(filepath.Join(dir, indexName)),
				os.Mkdir(filepath.Join(dir, indexName), 0o700))
		}, "index.json is not a file"},
		"missing": {func(_, blob string) error { return os.Remove(blob) }, "missing"},
		"changed": {func(_, blob string) error { return os.WriteFile(blob, []byte("0ne"), 0o600) },
			"not what its digest says"},
		"cut": {func(_, blob string) error { return os.WriteFile(blob, []byte("on"), 0o600) },
			"said to have 3 bytes and has 2"},
		"longer": {func(_, blob string) error {
			return os.WriteFile(blob, []byte("one and more"), 0o600)
		}, "said to have 3 bytes and has at least 4"},
		"link out": {func(_, blob string) error {
			out := filepath.Join(t.TempDir(), "out")
			return errors.Join(os.WriteFile(out, []byte("one"), 0o600), os.Remove(blob),
				os.Symlink(out, blob))
		}, "path escapes"},
	} {
		l, _ := sample(t)
		dir := t.TempDir()
		if err := errors.Join(l.Save(dir), c.damage(dir,
			filepath.Join(dir, "blobs", "sha256", one.Hex()))); err != nil {
			t.Fatal(err)
		}
		l, err := Open(dir)
		if err == nil {
			_, err = l.Blob(Descriptor{Digest: one, Size: 3})
			_ = l.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\n got %v\nwant %s", name, err, c.want)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestManifestsAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		`x`:                                   "invalid character",
		`{}`:                                  "schema version 0",
		`{"schemaVersion":2,"mediaType":"a"}`: `it is "a"; want`,
		`{"schemaVersion":2,"layers":[` + strings.Repeat("{},", BlobsMax-1) + `{}]}`: "1024 layers",
	} {
		l := New()
		d, err := l.Add(MediaTypeManifest, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Manifest(d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s:\n got %v\nwant %s", text, err, want)
		}
	}
}
