package emulator

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A model is one board that QEMU can be.
type model struct {
	arch    string   // of the kit
	qemu    string   // program
	machine []string // its arguments that choose the machine
	memory  int      // MiB
	tty     string   // the console's device
	modules []string // kernel modules, in the order in which they must load
	disk    string   // block device of the data disk in the guest

	deviceTree string     // of the kernel package; empty: the one that QEMU makes
	treeFixes  [][]string // strings of the device tree that are otherwise here: node, property, value
	gpioNode   string     // path of the GPIO controller in the device tree
	gpioType   string     // its QOM type
	gpioPath   string     // its QOM path where that is fixed
	lines      map[string]int
	idleHigh   []string          // inputs that are high while nobody touches them
	leds       map[string]string // lines that the kernel's LED driver has, by the LED's name

	network func(backend string) []string // QEMU arguments; backend as for -netdev
	storage func(path string) []string
	// cachedStorage is a disk whose writes and flushes are logged; nil: none.
	cachedStorage func(path, log string) []string
}

var models = map[string]*model{
	"qemu-virt-armhf": {
		arch: "armhf", qemu: "qemu-system-arm",
		machine: []string{"-M", "virt,highmem=off", "-cpu", "cortex-a7"}, memory: 256, tty: "ttyAMA0",
		modules: slices.Concat(leds, virtio, common), disk: "/dev/vda",
		gpioNode: "/pl061@9030000", gpioType: "pl061", lines: virtLines, idleHigh: touched, leds: doorLED,
		network: virtNetwork, storage: virtStorage, cachedStorage: virtCachedStorage,
	},
	"qemu-virt-arm64": {
		arch: "arm64", qemu: "qemu-system-aarch64",
		machine: []string{"-M", "virt", "-cpu", "cortex-a53", "-device", "i6300esb"}, memory: 320, tty: "ttyAMA0",
		modules: slices.Concat(leds, []string{"i6300esb"}, virtio, common), disk: "/dev/vda",
		gpioNode: "/pl061@9030000", gpioType: "pl061", lines: virtLines, idleHigh: touched, leds: doorLED,
		network: virtNetwork, storage: virtStorage, cachedStorage: virtCachedStorage,
	},
	"imx6ul-evk": {
		arch: "armhf", qemu: "qemu-system-arm",
		machine: []string{"-M", "mcimx6ul-evk"}, memory: 256, tty: "ttymxc0",
		// The network's PHY driver has to be there before the network's.
		modules: slices.Concat([]string{"gpio-mxc"}, leds, []string{"imx2_wdt", "micrel", "fec", "sdhci-esdhc-imx", "mmc_block"}, common), disk: "/dev/mmcblk0",
		deviceTree: "imx6ul-14x14-evk.dtb",
		// QEMU's GPT timer loses time whenever it is set; the processor's own is
		// exact, and off in the tree because boot loaders do not set it up.
		treeFixes: [][]string{{"/timer", "status", "okay"}},
		gpioNode:  "/soc/bus@2000000/gpio@20a8000", gpioType: "imx.gpio", gpioPath: "/machine/soc/gpio3", lines: imxLines, idleHigh: touched, leds: doorLED,
		// The guest's eth0 is the machine's second interface.
		network: func(backend string) []string {
			return []string{"-nic", "user,restrict=on", "-nic", backend + ",id=" + netdev}
		},
		storage: func(path string) []string {
			return []string{"-drive", "if=sd,id=" + diskID + ",format=raw,file=" + path}
		},
	},
}

// Modules that every board has: file systems, a camera and a sound card.
var common = []string{"ext4", "overlay", "vivid", "snd-aloop"}

// Modules for lines that the kernel's LED driver has, with its triggers of one
// pulse.
var leds = []string{"leds-gpio", "ledtrig-oneshot", "ledtrig-transient"}

var virtio = []string{"virtio_mmio", "virtio_rng", "virtio_net", "virtio_blk"}

// Lines of the boards by the names that the guest sees. Line 3 of the virt
// machine is its power key in QEMU's own device tree.
var virtLines = map[string]int{
	"BUTTON1": 0, "BUTTON2": 1, "EXIT1": 2, "CONTACT1": 3,
	"DOOR1": 4, "DOOR2": 5, "LAMP_CALLING": 6, "DOOR3": 7,
}

// Pins of the NAND controller, which the board does not have.
var imxLines = map[string]int{
	"BUTTON1": 6, "BUTTON2": 7, "LAMP_OPEN": 8, "CONTACT1": 9,
	"DOOR1": 10, "DOOR2": 11, "LAMP_CALLING": 12, "LAMP_TALKING": 13,
	"DOOR3": 14, "TAMPER": 15, "EXIT1": 16,
}

// What a finger touches is pulled high. A closed door and a closed cover pull
// their contacts low.
var touched = []string{"BUTTON1", "BUTTON2", "EXIT1"}

// The line that the kernel itself drives, under its name in /sys/class/leds.
var doorLED = map[string]string{"door3": "DOOR3"}

// Names of parts of the machine for QEMU's monitor.
const (
	netdev = "net0"
	diskID = "data"
)

func virtNetwork(backend string) []string {
	return []string{"-netdev", backend + ",id=" + netdev, "-device", "virtio-net-device,netdev=" + netdev + ",mac=52:54:00:12:34:56"}
}

func virtStorage(path string) []string {
	return []string{"-drive", "if=none,id=" + diskID + ",format=raw,file=" + path, "-device", "virtio-blk-device,drive=" + diskID}
}

func virtCachedStorage(path, log string) []string {
	return []string{
		"-blockdev", "driver=raw,node-name=image,file.driver=file,file.filename=" + path,
		"-blockdev", "driver=file,node-name=log,filename=" + log,
		"-blockdev", "driver=blklogwrites,node-name=" + diskID + ",file=image,log=log",
		"-device", "virtio-blk-device,drive=" + diskID,
	}
}

// Boards are the names of the boards that Boot knows.
func Boards() []string { return slices.Sorted(maps.Keys(models)) }

// Lines are the names of a board's GPIO lines, in the order of their numbers.
func Lines(board string) []string {
	m, err := modelOf(board)
	if err != nil {
		return nil
	}
	names := slices.Collect(maps.Keys(m.lines))
	slices.SortFunc(names, func(a, b string) int { return m.lines[a] - m.lines[b] })
	return names
}

func modelOf(board string) (*model, error) {
	m, ok := models[board]
	if !ok {
		return nil, fmt.Errorf("emulator: no board %q: want one of %s", board, strings.Join(Boards(), ", "))
	}
	return m, nil
}

// lineNames are the names by number, empty where a line has none.
func (m *model) lineNames() []string {
	names := make([]string, 1+slices.Max(slices.Collect(maps.Values(m.lines))))
	for name, n := range m.lines {
		names[n] = name
	}
	return names
}

// Arch is Debian's name of a board's architecture, empty for no board of ours.
func Arch(board string) string {
	m, err := modelOf(board)
	if err != nil {
		return ""
	}
	return m.arch
}
