//go:build board

package emulator

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"
)

// takeLines is shell that takes DOOR1 as an output and BUTTON1 as an input
// through the kernel's GPIO class, and prints the button's level.
func takeLines(board string) string {
	m := models[board]
	return fmt.Sprintf(`cd /sys/class/gpio
for chip in gpiochip*; do
	case $(cat $chip/device/of_node/gpio-line-names 2>/dev/null) in *BUTTON1*) base=$(cat $chip/base) ;; esac
done
door=gpio$((base + %d)) button=gpio$((base + %d))
echo ${door#gpio} >export; echo ${button#gpio} >export
echo low >$door/direction; echo in >$button/direction
cat $button/value`, m.lines["DOOR1"], m.lines["BUTTON1"])
}

// followButton lets DOOR1 say whether BUTTON1 is pressed, from now on.
func followButton(board string) string {
	return takeLines(board) + `
(while :; do read -r v <$button/value; echo $((1 - v)) >$door/value; done) &`
}

// A guest that does what a button says proves the whole road: our pin, its
// driver, a program, its driver, the pin we watch.
func TestPinsFromOutside(t *testing.T) {
	for _, board := range Boards() {
		t.Run(board, func(t *testing.T) {
			ctx := t.Context()
			m := boot(t, Options{Board: board})
			var seen []Edge
			m.Watch(func(e Edge) { seen = append(seen, e) })
			if out, _, err := m.Run(ctx, followButton(board)); err != nil || out != "1" {
				t.Fatalf("the untouched button reads %q, want 1 (%v)", out, err)
			}
			for i := range 5 {
				pressed := time.Now()
				must(t, m.Press("BUTTON1"))
				up := edge(t, m, "DOOR1", true, i)
				released := time.Now()
				must(t, m.Release("BUTTON1"))
				down := edge(t, m, "DOOR1", false, i)
				t.Logf("press to output %v, release to output %v", up.At.Sub(pressed), down.At.Sub(released))
			}
			if got := m.Edges(); len(got) < 10 {
				t.Errorf("%d edges, want at least 10: %v", len(got), got)
			}
			for _, e := range seen {
				if e.Line != "DOOR1" {
					t.Errorf("%v: nobody drove that line", e)
				}
			}
			if m.Level("DOOR1") {
				t.Error("DOOR1 ends high")
			}
		})
	}
}

func TestDiskOutlivesPower(t *testing.T) {
	ctx := t.Context()
	for _, board := range Boards() {
		t.Run(board, func(t *testing.T) {
			disk := filepath.Join(t.TempDir(), "data.img")
			m := boot(t, Options{Board: board, Data: disk})
			if out, code, err := m.Run(ctx, "echo kept >/data/file && sync"); code != 0 || err != nil {
				t.Fatalf("writing: %d, %v, %s", code, err, out)
			}
			m.Cut()
			if _, _, err := m.Run(ctx, "true"); err == nil {
				t.Error("a guest without power answers")
			}
			m = boot(t, Options{Board: board, Data: disk})
			if out, _, err := m.Run(ctx, "cat /data/file"); out != "kept" || err != nil {
				t.Errorf("after the cut the file says %q, %v", out, err)
			}
		})
	}
}

// The guest's clock goes as ours does: what happens inside can be held against
// what is seen outside.
func TestClockKeepsTime(t *testing.T) {
	for _, board := range Boards() {
		t.Run(board, func(t *testing.T) {
			m := boot(t, Options{Board: board})
			now := func() (inside time.Duration, outside time.Time) {
				out, _, err := m.Run(t.Context(), "cut -d' ' -f1 /proc/uptime")
				must(t, err)
				d, err := time.ParseDuration(out + "s")
				must(t, err)
				return d, time.Now()
			}
			from, began := now()
			_, _, err := m.Run(t.Context(), "i=0; while [ $i -lt 60000 ]; do i=$((i + 1)); done; sleep 1; usleep 300000")
			must(t, err)
			to, ended := now()
			inside, outside := to-from, ended.Sub(began)
			t.Logf("inside %v, outside %v", inside, outside)
			if lag := outside - inside; lag < -250*time.Millisecond || lag > 250*time.Millisecond {
				t.Errorf("the guest's clock is %v behind after %v, want 250ms at most", lag, outside)
			}
		})
	}
}

// What was flushed outlives a power cut that empties the disk's cache; what was
// not is lost, most of it.
func TestDiskForgetsItsCache(t *testing.T) {
	ctx := t.Context()
	disk := filepath.Join(t.TempDir(), "data.img")
	set := Options{Board: "qemu-virt-arm64", Data: disk, DiskCache: true}
	m := boot(t, set)
	// The second file is given to the disk, and the disk is not told to keep it.
	script := `echo kept >/data/kept; sync; echo 0 >/proc/sys/vm/dirty_writeback_centisecs
dd if=/dev/urandom of=/data/kept bs=4k count=64 seek=1 conv=notrunc oflag=direct 2>/dev/null; md5sum </data/kept`
	sum, code, err := m.Run(ctx, script)
	if code != 0 || err != nil {
		t.Fatalf("writing: %d, %v, %s", code, err, sum)
	}
	if writes, flushes, err := m.Writes(); writes < 64 || flushes == 0 || err != nil {
		t.Errorf("%d writes and %d flushes counted, %v; want at least 64 and 1", writes, flushes, err)
	}
	loss, err := m.CutCache(rand.New(rand.NewPCG(1, 2)))
	if err != nil || loss.Pending < 64 || loss.Lost < 16 || loss.Lost > loss.Pending-16 {
		t.Errorf("loss %+v, %v; want at least 64 pending, about half of them lost", loss, err)
	}
	m = boot(t, set)
	if out, _, err := m.Run(ctx, "head -c 5 /data/kept"); out != "kept" || err != nil {
		t.Errorf("after the cut the file says %q, %v", out, err)
	}
	if out, _, err := m.Run(ctx, "md5sum </data/kept"); out == sum || err != nil {
		t.Errorf("after the cut the whole file is there: %q, %v", out, err)
	}
}

func TestResetIsReported(t *testing.T) {
	ctx := t.Context()
	m := boot(t, Options{Board: "qemu-virt-armhf"})
	must(t, m.Reset())
	limit, cancel := context.WithTimeout(ctx, BootTime)
	defer cancel()
	if _, err := m.Event(limit, "RESET", 0); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Mark(limit, "ready", 1); err != nil {
		t.Fatal(err)
	}
	if out, _, err := m.Run(ctx, takeLines("qemu-virt-armhf")); err != nil || out != "1" {
		t.Errorf("after a reset the untouched button reads %q, want 1 (%v)", out, err)
	}
}

func boot(t *testing.T, opt Options) *Machine {
	t.Helper()
	m, err := Boot(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	ctx, cancel := context.WithTimeout(t.Context(), BootTime)
	defer cancel()
	if _, err := m.Mark(ctx, "ready", 0); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: ready %v after power-on", opt.Board, time.Since(m.Started).Round(time.Millisecond))
	return m
}

func edge(t *testing.T, m *Machine, line string, high bool, index int) Edge {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), BootTime)
	defer cancel()
	e, err := m.Edge(ctx, line, high, index)
	if err != nil {
		t.Fatalf("%v\n%s", err, m.console.tail())
	}
	return e
}
