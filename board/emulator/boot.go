package emulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// BootTime bounds what the guest's start may take, on a busy machine too.
const BootTime = 60 * time.Second

// Options say what to boot.
type Options struct {
	Board string // one of Boards
	// Files are added to the guest. One at /etc/services names the programs
	// that init keeps running: a name and a command a line.
	Files []File
	// Data is the image of the disk that the guest has at /data. It is made
	// when it does not exist, and stays when the machine ends. Empty: none.
	Data string
	// DiskCache gives the data disk a cache that CutCache empties. Boards with an
	// SD card cannot have it.
	DiskCache bool
	// System gives the guest Debian's own init, systemd, on the disk Data, which
	// is then made with it. Files are put into that system. One of them at
	// /install is a script for its shell that runs each time before the init, as
	// packages do when they are installed.
	System bool
	// Network is how the guest's eth0 is connected.
	Network Network
	// Console gets a copy of what the guest writes, unless it is nil.
	Console io.Writer
	// Clock is the time at which the guest's clock starts; zero: now.
	Clock time.Time
	// Without names modules that init does not load, such as "vivid": a board
	// that has no camera, and boots sooner.
	Without []string
	// Append is added to the kernel's command line.
	Append string
}

// A Network connects the guest.
type Network struct {
	// Namespace is a network namespace by its name of ip-netns(8), where QEMU
	// runs and the tap is; empty: the caller's own.
	Namespace string
	// Tap is an interface that AddTap has made. Empty: QEMU's user network,
	// which needs no privilege, and which nobody outside can reach.
	Tap     string
	Address netip.Prefix // of the guest; invalid: eth0 stays down
	Gateway netip.Addr
}

// Boot starts a machine and returns when its init runs. Ctx bounds the start
// only; Close or Cut ends the machine.
func Boot(ctx context.Context, opt Options) (*Machine, error) {
	if opt.System && opt.Data == "" {
		return nil, errors.New("emulator: a guest with Debian's init needs a disk: Data is empty")
	}
	ctx, cancel := context.WithTimeout(ctx, BootTime)
	defer cancel()
	m, err := modelOf(opt.Board)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "doorstation-board-")
	if err != nil {
		return nil, fmt.Errorf("emulator: %w", err)
	}
	machine := newMachine(m, dir, opt)
	if err := machine.start(ctx, opt); err != nil {
		machine.Close()
		return nil, err
	}
	return machine, nil
}

func (m *Machine) start(ctx context.Context, opt Options) error {
	args, err := m.prepare(ctx, opt)
	if err != nil {
		return err
	}
	m.Started = time.Now()
	if err := m.launch(opt.Network.Namespace, args); err != nil {
		return err
	}
	if err := m.connect(ctx); err != nil {
		return fmt.Errorf("%w; qemu says: %s", err, m.stderr.String())
	}
	// The processors have not run yet: what is watched is watched from the
	// first instruction.
	if err := m.idle(); err != nil {
		return err
	}
	if err := m.qmp.do("cont", nil, nil); err != nil {
		return err
	}
	_, err = m.console.mark(ctx, "init", 0)
	return err
}

// prepare makes what QEMU reads, and gives its arguments.
func (m *Machine) prepare(ctx context.Context, opt Options) ([]string, error) {
	kit, err := Fetch(ctx, m.model.arch)
	if err != nil {
		return nil, err
	}
	base, err := Build(ctx, opt.Board)
	if err != nil {
		return nil, err
	}
	tree, err := m.model.deviceTreeFile(ctx, kit)
	if err != nil {
		return nil, err
	}
	initrd := filepath.Join(m.dir, "initrd")
	files := opt.Files
	if opt.System {
		files = below(systemFolder, files)
	}
	if err := concatenate(initrd, base, files); err != nil {
		return nil, err
	}
	line := m.model.commandLine(opt)
	args := append([]string(nil), m.model.machine...)
	args = append(args, "-accel", "tcg", "-m", m.model.memoryArg(), "-display", "none", "-monitor", "none", "-serial", "stdio", "-S",
		"-qtest", "unix:"+m.socket("qtest")+",server=on,wait=off", "-qtest-log", "/dev/null",
		"-qmp", "unix:"+m.socket("qmp")+",server=on,wait=off",
		"-kernel", kit.Kernel(), "-dtb", tree, "-initrd", initrd, "-append", line)
	if !opt.Clock.IsZero() {
		args = append(args, "-rtc", "base="+opt.Clock.UTC().Format("2006-01-02T15:04:05"))
	}
	if opt.Data != "" {
		if err := m.makeData(ctx, opt); err != nil {
			return nil, err
		}
		disk, err := m.storage(ctx, opt)
		if err != nil {
			return nil, err
		}
		args = append(args, disk...)
	}
	backend := "user"
	if opt.Network.Tap != "" {
		backend = "tap,script=no,downscript=no,ifname=" + opt.Network.Tap
	}
	return append(args, m.model.network(backend)...), nil
}

// makeData makes the data disk, unless there is one.
func (m *Machine) makeData(ctx context.Context, opt Options) error {
	if opt.System {
		return m.model.makeSystem(ctx, opt.Data)
	}
	return makeDisk(ctx, opt.Data)
}

// storage gives the arguments for the data disk.
func (m *Machine) storage(ctx context.Context, opt Options) ([]string, error) {
	if !opt.DiskCache {
		return m.model.storage(opt.Data), nil
	}
	if m.model.cachedStorage == nil {
		return nil, fmt.Errorf("emulator: the disk of %s cannot have a cache", opt.Board)
	}
	if err := m.prepareCache(ctx, opt.Data); err != nil {
		return nil, err
	}
	return m.model.cachedStorage(opt.Data, m.writeLog()), nil
}

func (m *model) memoryArg() string { return strconv.Itoa(m.memory) }

func (m *model) commandLine(opt Options) string {
	words := []string{"console=" + m.tty + ",115200", "quiet", "panic=1", "random.trust_bootloader=on"}
	if opt.Network.Address.IsValid() {
		words = append(words, "emu.address="+opt.Network.Address.String())
	}
	if opt.Network.Gateway.IsValid() {
		words = append(words, "emu.gateway="+opt.Network.Gateway.String())
	}
	if opt.Data != "" {
		words = append(words, "emu.disk="+m.disk)
	}
	if opt.System {
		words = append(words, "emu.system=yes")
	}
	if len(opt.Without) > 0 {
		words = append(words, "emu.without="+strings.Join(opt.Without, ","))
	}
	if opt.Append != "" {
		words = append(words, opt.Append)
	}
	return strings.Join(words, " ")
}

// concatenate writes the board's RAM disk, and behind it one of the files.
func concatenate(to, base string, files []File) error {
	content, err := os.ReadFile(base)
	if err != nil {
		return fmt.Errorf("emulator: %w", err)
	}
	if err := layer(files, to); err != nil {
		return err
	}
	extra, err := os.ReadFile(to)
	if err != nil {
		return fmt.Errorf("emulator: %w", err)
	}
	return os.WriteFile(to, append(content, extra...), 0o600)
}

// launch starts QEMU, paused. It ends with this process.
func (m *Machine) launch(namespace string, args []string) error {
	words := append([]string{m.model.qemu}, args...)
	if namespace != "" {
		words = append([]string{"ip", "netns", "exec", namespace}, words...)
	}
	m.cmd = exec.Command(words[0], words[1:]...)
	m.cmd.Dir = m.dir
	m.cmd.Stdout, m.cmd.Stderr = m.console, &m.stderr
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	in, err := m.cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("emulator: %w", err)
	}
	m.stdin = in
	started := make(chan error)
	go func() {
		// Pdeathsig means the death of the thread that started it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := m.cmd.Start()
		started <- err
		if err == nil {
			_ = m.cmd.Wait()
			m.console.end()
			close(m.ended)
		}
	}()
	if err := <-started; err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return fmt.Errorf("emulator: %w: run scripts/setup board", err)
		}
		return fmt.Errorf("emulator: %w", err)
	}
	return nil
}

// connect opens QEMU's two sockets and begins to watch.
func (m *Machine) connect(ctx context.Context) error {
	conn, err := m.dial(ctx, "qmp")
	if err != nil {
		return err
	}
	if m.qmp, err = newQMP(conn, m.happened); err != nil {
		return err
	}
	device := m.model.gpioPath
	if device == "" {
		if device, err = m.qmp.find(m.model.gpioType); err != nil {
			return err
		}
	}
	if conn, err = m.dial(ctx, "qtest"); err != nil {
		return err
	}
	m.qtest, err = newQtest(conn, device, m.moved)
	return err
}

// dial waits for a socket of QEMU: it makes them when it starts.
func (m *Machine) dial(ctx context.Context, name string) (net.Conn, error) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := net.Dial("unix", m.socket(name))
		if err == nil {
			return conn, nil
		}
		select {
		case <-tick.C:
		case <-m.ended:
			return nil, fmt.Errorf("emulator: %w before it listened", errGone)
		case <-ctx.Done():
			return nil, fmt.Errorf("emulator: qemu does not listen: %w", err)
		}
	}
}

func (m *Machine) socket(name string) string { return filepath.Join(m.dir, name+".sock") }
