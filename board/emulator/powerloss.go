package emulator

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// A Loss says what a power cut took from the data disk.
type Loss struct {
	Pending int // writes that the disk had taken and had not been told to keep
	Lost    int // how many of them are gone
}

// CutCache cuts the power of a machine whose disk has a cache (Options.DiskCache),
// and empties that cache: what the guest had flushed stays on the disk, and of
// its later writes a random half.
func (m *Machine) CutCache(random *rand.Rand) (Loss, error) {
	if m.cached == "" {
		return Loss{}, errors.New("emulator: this machine's disk has no cache")
	}
	m.Cut()
	log, err := os.Open(m.writeLog())
	if err != nil {
		return Loss{}, fmt.Errorf("emulator: %w", err)
	}
	defer log.Close()
	if err := copySparse(context.Background(), m.beforeImage(), m.cached); err != nil {
		return Loss{}, err
	}
	image, err := os.OpenFile(m.cached, os.O_RDWR, 0)
	if err != nil {
		return Loss{}, fmt.Errorf("emulator: %w", err)
	}
	loss, err := replay(readLog(log), image, func() bool { return random.IntN(2) == 0 })
	return loss, errors.Join(err, image.Close())
}

// writeLog is where QEMU notes what is written to a disk with a cache, and
// beforeImage the disk as it was when power went on.
func (m *Machine) writeLog() string    { return filepath.Join(m.dir, "writes") }
func (m *Machine) beforeImage() string { return filepath.Join(m.dir, "before.img") }

// logSize is the size of a new log, sparse. QEMU does not let it grow.
const logSize = 4 << 30

// prepareCache makes what a disk with a cache needs.
func (m *Machine) prepareCache(ctx context.Context, image string) error {
	m.cached = image
	if err := copySparse(ctx, image, m.beforeImage()); err != nil {
		return err
	}
	f, err := os.Create(m.writeLog())
	if err != nil {
		return fmt.Errorf("emulator: %w", err)
	}
	if err := errors.Join(f.Truncate(logSize), f.Close()); err != nil {
		return fmt.Errorf("emulator: %w", err)
	}
	return nil
}

func copySparse(ctx context.Context, from, to string) error {
	_, err := command(ctx, "cp", "--reflink=auto", "--sparse=always", from, to)
	return err
}

// The log is that of the kernel's dm-log-writes
// (Documentation/admin-guide/device-mapper/log-writes.rst), in sectors of 512
// bytes: a first one with a magic number, then entries, each a sector of head
// and, for a write, its data.
const (
	logSector  = 512
	logMagic   = 0x6a736677736872
	logFlush   = 1
	logForced  = 2 // FUA: this write stays without a flush
	logDiscard = 4
)

// A logEntry is one request to the disk.
type logEntry struct {
	flags uint64
	at    int64  // bytes from the disk's start
	data  []byte // of a write
}

// readLog gives the entries of a log up to one that is not whole: QEMU was
// writing it when it was killed.
func readLog(log io.Reader) []logEntry {
	in := bufio.NewReaderSize(log, 1<<20)
	head := make([]byte, logSector)
	if _, err := io.ReadFull(in, head); err != nil || binary.LittleEndian.Uint64(head) != logMagic {
		return nil // nothing was ever written
	}
	var entries []logEntry
	for {
		if _, err := io.ReadFull(in, head); err != nil {
			return entries
		}
		sector, sectors, flags := binary.LittleEndian.Uint64(head), binary.LittleEndian.Uint64(head[8:]), binary.LittleEndian.Uint64(head[16:])
		if sectors == 0 && flags == 0 || sectors > logSize/logSector {
			return entries
		}
		e := logEntry{flags: flags, at: int64(sector) * logSector}
		if flags&logDiscard == 0 {
			e.data = make([]byte, sectors*logSector)
			if _, err := io.ReadFull(in, e.data); err != nil {
				return entries
			}
		}
		entries = append(entries, e)
	}
}

// replay writes to image what a disk has kept: all up to the last flush, all
// that was forced, and of the others those for which keep says so. What was
// discarded stays as it was.
func replay(entries []logEntry, image io.WriterAt, keep func() bool) (Loss, error) {
	kept := 0
	for i, e := range entries {
		if e.flags&logFlush != 0 {
			kept = i + 1
		}
	}
	var loss Loss
	for i, e := range entries {
		if len(e.data) == 0 {
			continue
		}
		if i >= kept && e.flags&logForced == 0 {
			loss.Pending++
			if !keep() {
				loss.Lost++
				continue
			}
		}
		if _, err := image.WriteAt(e.data, e.at); err != nil {
			return loss, fmt.Errorf("emulator: %w", err)
		}
	}
	return loss, nil
}
