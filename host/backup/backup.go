// Package backup knows the folder of backups beside a store: one folder a backup, which is a store
// with a list of its files, made of a store that is in use, looked at, put in a store's place,
// removed. It does not know what a store holds.
//
// A backup is made under a name that begins with a dot and gets its own when it is whole and safe
// on the device; what a crash leaves of one goes with the next Open.
package backup

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hpmq/hpmq/host/clone"
	"github.com/hpmq/hpmq/host/store"
)

// Errors of backups.
var (
	ErrName    = errors.New("no name of a backup: letters, digits, - _ . and not more than 64")
	ErrExists  = errors.New("there is a backup of that name")
	ErrUnknown = errors.New("there is no backup of that name")
	ErrMany    = errors.New("there are as many backups as may be: delete one")
	ErrSpace   = errors.New("the file system is almost full")
	ErrBusy    = errors.New("another backup is being made or verified")
	ErrDamaged = errors.New("the backup is damaged")
)

// Folder is the name of the folder of backups in a data folder.
const Folder = "backups"

const (
	listName   = "backup.json"
	version    = 1
	nameMax    = 64
	storeName  = "store"
	unfinished = ".unfinished-"

	nameLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
)

// Config of the backups of one broker.
type Config struct {
	// Dir is the folder of the backups; it is made with mode 0700 with the first.
	Dir string
	// CountMax bounds how many there are.
	CountMax int
	// FreeBytesMin is how much of the file system must stay free.
	FreeBytesMin int64
	// Program is who makes them, for people.
	Program string
}

// Source is a store that is in use.
type Source interface {
	// Checkpoint makes the folder dir a store of its own.
	Checkpoint(dir string) error
}

// Info is what is known of a backup without reading all of it.
type Info struct {
	Name    string    `json:"-"`
	Version int       `json:"version"`
	Created time.Time `json:"created"`
	Program string    `json:"program"`
	Files   []File    `json:"files"`
}

// File is a file of a backup, by its path with slashes.
type File struct {
	Path  string `json:"path"`
	Bytes int64  `json:"bytes"`
}

// Bytes is the size of all files.
func (i *Info) Bytes() (n int64) {
	for _, f := range i.Files {
		n += f.Bytes
	}
	return n
}

// Keeper makes, lists and removes backups. It is safe for concurrent use.
type Keeper struct {
	cfg  Config
	free func(dir string) (int64, error)
	busy sync.Mutex // one backup is made or verified at a time
}

// Open removes what is left of a backup that a crash broke off.
func Open(cfg Config) (*Keeper, error) {
	if cfg.CountMax < 1 || cfg.Dir == "" {
		return nil, errors.New("backup: config: at least 1 backup, and a folder")
	}
	left, err := filepath.Glob(filepath.Join(cfg.Dir, unfinished+"*"))
	if err != nil {
		return nil, fmt.Errorf("backup: open: %w", err)
	}
	for _, dir := range left {
		if err := os.RemoveAll(dir); err != nil {
			return nil, fmt.Errorf("backup: open: %w", err)
		}
	}
	return &Keeper{cfg: cfg, free: store.FreeBytes}, nil
}

// ValidName says whether a backup may be called that.
func ValidName(name string) bool {
	if name == "" || len(name) > nameMax || name[0] == '.' || name[0] == '-' {
		return false
	}
	return strings.Trim(name, nameLetters) == ""
}

// Create makes a backup of a store that is in use; an empty name is the time of now. It blocks for
// as long as that takes.
func (k *Keeper) Create(src Source, name string, now time.Time) (Info, error) {
	if name == "" {
		name = now.UTC().Format("20060102T150405Z")
	}
	if !ValidName(name) {
		return Info{}, fmt.Errorf("backup: create: %q: %w", name, ErrName)
	}
	if !k.busy.TryLock() {
		return Info{}, fmt.Errorf("backup: create: %w", ErrBusy)
	}
	defer k.busy.Unlock()
	info, err := k.create(src, name, now)
	if err != nil {
		return Info{}, fmt.Errorf("backup: create %s: %w", name, err)
	}
	return info, nil
}

func (k *Keeper) create(src Source, name string, now time.Time) (Info, error) {
	if err := os.MkdirAll(k.cfg.Dir, 0o700); err != nil {
		return Info{}, err
	}
	if err := k.fits(name); err != nil {
		return Info{}, err
	}
	dir := filepath.Join(k.cfg.Dir, unfinished+name)
	info := Info{Name: name, Version: version, Created: now.UTC(), Program: k.cfg.Program}
	err := src.Checkpoint(dir)
	if err == nil {
		info.Files, err = files(dir)
	}
	if err == nil {
		err = writeList(dir, &info)
	}
	if err == nil {
		err = k.enough() // where files have no second name
	}
	if err == nil {
		err = os.Rename(dir, filepath.Join(k.cfg.Dir, name))
	}
	if err != nil {
		return info, errors.Join(err, os.RemoveAll(dir))
	}
	return info, clone.Sync(k.cfg.Dir)
}

// fits says why there may be no backup of that name now.
func (k *Keeper) fits(name string) error {
	if _, err := os.Lstat(filepath.Join(k.cfg.Dir, name)); err == nil {
		return ErrExists
	}
	names, err := names(k.cfg.Dir)
	if err != nil {
		return err
	}
	if len(names) >= k.cfg.CountMax {
		return fmt.Errorf("%w (%d)", ErrMany, k.cfg.CountMax)
	}
	return k.enough()
}

func (k *Keeper) enough() error {
	free, err := k.free(k.cfg.Dir)
	if err == nil && free < k.cfg.FreeBytesMin {
		err = fmt.Errorf("%w: %d bytes are free, %d must be", ErrSpace, free, k.cfg.FreeBytesMin)
	}
	return err
}

// List answers the backups, oldest first. One that cannot be read is there with its name alone.
func (k *Keeper) List() ([]Info, error) { return List(k.cfg.Dir) }

// List answers the backups in dir, oldest first. One whose list cannot be read has Version 0.
func List(dir string) ([]Info, error) {
	names, err := names(dir)
	if err != nil {
		return nil, fmt.Errorf("backup: list: %w", err)
	}
	list := make([]Info, 0, len(names))
	for _, name := range names {
		info, err := readList(filepath.Join(dir, name))
		if err != nil {
			info = Info{Name: name}
		}
		list = append(list, info)
	}
	slices.SortFunc(list, func(a, b Info) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Name, b.Name))
	})
	return list, nil
}

// Delete removes a backup.
func (k *Keeper) Delete(name string) error {
	dir, err := k.find(name)
	if err != nil {
		return fmt.Errorf("backup: delete: %w", err)
	}
	if !k.busy.TryLock() {
		return fmt.Errorf("backup: delete: %w", ErrBusy)
	}
	defer k.busy.Unlock()
	// First the name: half of a backup must not look like one.
	gone := filepath.Join(k.cfg.Dir, unfinished+name)
	if err := os.Rename(dir, gone); err != nil {
		return fmt.Errorf("backup: delete: %w", err)
	}
	if err := os.RemoveAll(gone); err != nil {
		return fmt.Errorf("backup: delete: %w", err)
	}
	return nil
}

// Verify reads all of a backup: see the function of that name.
func (k *Keeper) Verify(name string) (Info, store.CheckReport, error) {
	dir, err := k.find(name)
	if err != nil {
		return Info{}, store.CheckReport{}, fmt.Errorf("backup: verify: %w", err)
	}
	if !k.busy.TryLock() {
		return Info{}, store.CheckReport{}, fmt.Errorf("backup: verify: %w", ErrBusy)
	}
	defer k.busy.Unlock()
	return Verify(dir)
}

func (k *Keeper) find(name string) (string, error) {
	if !ValidName(name) {
		return "", fmt.Errorf("%q: %w", name, ErrName)
	}
	dir := filepath.Join(k.cfg.Dir, name)
	if _, err := os.Stat(dir); err != nil {
		return "", fmt.Errorf("%q: %w", name, ErrUnknown)
	}
	return dir, nil
}

// names are those of the folders in dir that may be backups.
func names(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var list []string
	for _, e := range entries {
		if e.IsDir() && ValidName(e.Name()) {
			list = append(list, e.Name())
		}
	}
	return list, err
}

// files are those below dir, in the order of their paths.
func files(dir string) (list []File, err error) {
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		list = append(list, File{filepath.ToSlash(rel), info.Size()})
		return nil
	})
	return list, err
}

func writeList(dir string, info *Info) error {
	text, err := json.MarshalIndent(info, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, listName), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return clone.Sync(dir)
}
