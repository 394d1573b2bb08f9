package provisioning

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"go.yaml.in/yaml/v3"
)

// The files of a Store.
const (
	currentFile  = "current.yaml"  // the last good
	previousFile = "previous.yaml" // the one before it
	trialFile    = "trial.yaml"    // not yet proved by a registration
	refusedFile  = "refused.yaml"  // what the last roll-back refused
)

// keyLabel is sealed into each kept document, to notice that the panel has a
// new key and that the sealed codes are worth nothing any more.
const keyLabel = "provisioning key check"

// kept is one document as the panel keeps it.
type kept struct {
	Hash     string    `yaml:"hash"` // of the document as it was offered
	From     string    `yaml:"from"`
	At       time.Time `yaml:"at"`
	Restarts int       `yaml:"restarts"` // of the panel while the document was on trial
	KeyCheck string    `yaml:"key_check"`
	Document *Document `yaml:"-"`
}

// refused is what a roll-back refused, so that it is not tried again.
type refused struct {
	Hash     string    `yaml:"hash"`
	Revision string    `yaml:"revision"`
	Why      string    `yaml:"why"`
	At       time.Time `yaml:"at"`
}

// encodeKept writes a kept document below a line with its checksum.
func encodeKept(k *kept) ([]byte, error) {
	return encodeChecked(struct {
		kept     `yaml:",inline"`
		Document *Document `yaml:"document"`
	}{*k, k.Document})
}

func decodeKept(raw []byte, name string, lim Limits) (*kept, error) {
	var file struct {
		kept     `yaml:",inline"`
		Document yaml.Node `yaml:"document"`
	}
	if err := decodeChecked(raw, &file); err != nil {
		return nil, err
	}
	f := newFaults(name)
	k := file.kept
	k.Document = decodeNode(&file.Document, f, lim, true)
	return &k, f.err()
}

// encodeChecked puts the SHA-256 of the YAML text in its first line.
func encodeChecked(v any) ([]byte, error) {
	body, err := yaml.Marshal(v)
	if err != nil {
		return nil, err
	}
	return append([]byte("# sha256 "+hashOf(body)+"\n"), body...), nil
}

// decodeChecked refuses a file that is not exactly as it was written.
func decodeChecked(raw []byte, v any) error {
	first, body, _ := bytes.Cut(raw, []byte("\n"))
	if string(first) != "# sha256 "+hashOf(body) {
		return errors.New("the file is damaged: its checksum does not hold")
	}
	return yaml.Unmarshal(body, v)
}

// load reads a kept document. A file that is not there is nil without error.
func (s *Store) load(name string) (*kept, error) {
	raw, err := s.disk.read(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	k, err := decodeKept(raw, s.disk.path(name), s.lim)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return k, nil
}

// save writes a kept document under name.
func (s *Store) save(name string, k *kept) error {
	data, err := encodeKept(k)
	if err != nil {
		return err
	}
	return s.disk.write(name, data)
}

// loadRefused reads what the last roll-back refused; nothing if it cannot be read.
func (s *Store) loadRefused() refused {
	var r refused
	raw, err := s.disk.read(refusedFile)
	if err != nil {
		return r
	}
	if err := decodeChecked(raw, &r); err != nil {
		s.log.Warn("the record of the refused configuration cannot be read", "err", err)
		return refused{}
	}
	return r
}
