package oci

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// headersMax bounds the entries of a tar: the blobs, the two documents, their folders.
const headersMax = BlobsMax + 8

// remake is what to do about a layout that nobody should have made.
const remake = "make it with hpmq-cli bundle build"

// ReadTar reads the layout that a tar holds, into memory. Nothing of it is written anywhere.
func ReadTar(r io.Reader) (*Layout, error) {
	l, files := New(), map[string][]byte{}
	in := tar.NewReader(r)
	for n := 0; ; n++ {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("oci: %w: it is neither the folder of one nor a whole tar: "+
				"%w; get it again", ErrLayout, err)
		}
		if n >= headersMax {
			return nil, fmt.Errorf("oci: %w: the tar has more than %d entries", ErrLayout,
				headersMax)
		}
		if err := l.readEntry(in, h, files); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{markerName, indexName} {
		if files[name] == nil {
			return nil, fmt.Errorf("oci: %w: there is no %s in the tar: get it again, or %s",
				ErrLayout, name, remake)
		}
	}
	return l, l.readIndex(files[indexName], files[markerName])
}

// readEntry reads one entry: a document into files, a blob into l.
func (l *Layout) readEntry(in io.Reader, h *tar.Header, files map[string][]byte) error {
	name := strings.TrimSuffix(strings.TrimPrefix(h.Name, "./"), "/")
	switch {
	case h.Typeflag == tar.TypeDir && (name == "" || name == "." || name == "blobs" ||
		name == strings.TrimSuffix(blobsFolder, "/")):
		return nil
	case h.Typeflag != tar.TypeReg:
		return fmt.Errorf("oci: %w: %.80q in the tar is not a file: %s", ErrLayout, h.Name,
			remake)
	}
	digest := Digest(sha256Prefix + strings.TrimPrefix(name, blobsFolder))
	blob := strings.HasPrefix(name, blobsFolder) && digest.Check() == nil
	limit := int64(BlobBytesMax)
	switch {
	case blob:
	case name == indexName, name == markerName:
		limit = DocumentBytesMax
	default:
		return fmt.Errorf("oci: %w: %.80q in the tar has no place in one: %s", ErrLayout, h.Name,
			remake)
	}
	// Before it is read: a header costs nothing and may promise any size.
	if h.Size > limit || l.bytes+h.Size > BytesMax {
		return fmt.Errorf("oci: %w: %.80q in the tar has %d bytes; at most %d are read of one, %d "+
			"of all", ErrLayout, h.Name, h.Size, limit, BytesMax)
	}
	_, twice := l.added[digest]
	if twice || files[name] != nil {
		return fmt.Errorf("oci: %w: %.80q is twice in the tar: %s", ErrLayout, h.Name, remake)
	}
	var b bytes.Buffer
	if _, err := io.Copy(&b, io.LimitReader(in, limit)); err != nil {
		return fmt.Errorf("oci: %w: the tar ends in the middle of %.80q: %w; get it again",
			ErrLayout, h.Name, err)
	}
	if !blob {
		files[name] = append([]byte{}, b.Bytes()...)
		return nil
	}
	if DigestOf(b.Bytes()) != digest {
		return fmt.Errorf("oci: blob %s: %w: get it again", digest, ErrDigest)
	}
	_, err := l.Add("", b.Bytes())
	return err
}

// WriteTar writes the layout as a tar that says nothing but what is in it: no times, no owners,
// sorted by name.
func (l *Layout) WriteTar(w io.Writer) error {
	index, err := l.indexJSON()
	if err != nil {
		return err
	}
	blobs, err := l.reachable()
	if err != nil {
		return err
	}
	out := tar.NewWriter(w)
	for _, d := range blobs {
		b, err := l.Blob(d)
		if err != nil {
			return err
		}
		if err := writeEntry(out, blobsFolder+d.Digest.Hex(), b); err != nil {
			return err
		}
	}
	if err := errors.Join(writeEntry(out, indexName, index),
		writeEntry(out, markerName, marker()), out.Close()); err != nil {
		return fmt.Errorf("oci: write tar: %w", err)
	}
	return nil
}

func writeEntry(out *tar.Writer, name string, b []byte) error {
	err := out.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: name, Size: int64(len(b)), Mode: 0o644,
		ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR,
	})
	if err == nil {
		_, err = out.Write(b)
	}
	if err != nil {
		return fmt.Errorf("oci: write tar: %s: %w", name, err)
	}
	return nil
}
