package emulator

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// deviceTreeFile gives the path of the board's device tree with the names of the
// GPIO lines in it, and with the LEDs.
func (m *model) deviceTreeFile(ctx context.Context, kit *Kit) (string, error) {
	key := keyOf(append(append([]string{kit.key, m.deviceTree, m.gpioNode, fmt.Sprint(m.leds, m.treeFixes)}, m.machine...), m.lineNames()...)...)
	return cached("tree-"+m.arch+"-"+key+".dtb", func(aside string) error {
		if err := m.stockTree(ctx, kit, aside); err != nil {
			return err
		}
		// fdtput's words are the strings of the property, empty ones too.
		args := append([]string{"-t", "s", aside, m.gpioNode, "gpio-line-names"}, m.lineNames()...)
		if _, err := command(ctx, "fdtput", args...); err != nil {
			return err
		}
		for _, fix := range m.treeFixes {
			if _, err := command(ctx, "fdtput", append([]string{"-t", "s", aside}, fix...)...); err != nil {
				return err
			}
		}
		return m.addLEDs(ctx, aside)
	})
}

// ourHandle is a phandle that no device tree of these boards has.
const ourHandle = "0xd0045"

// addLEDs gives lines of the GPIO controller to the kernel's LED driver
// (Documentation/devicetree/bindings/leds/leds-gpio.yaml). A controller that
// nothing refers to has no phandle yet.
func (m *model) addLEDs(ctx context.Context, tree string) error {
	const folder = "/door-leds"
	handle, err := command(ctx, "fdtget", "-t", "x", tree, m.gpioNode, "phandle")
	if handle = "0x" + strings.TrimSpace(handle); err != nil {
		handle = ourHandle
	}
	steps := [][]string{
		{"-t", "x", tree, m.gpioNode, "phandle", handle},
		{"-c", tree, folder},
		{"-t", "s", tree, folder, "compatible", "gpio-leds"},
	}
	for _, name := range slices.Sorted(maps.Keys(m.leds)) {
		node := folder + "/" + name
		steps = append(steps,
			[]string{"-c", tree, node},
			[]string{"-t", "s", tree, node, "label", name},
			[]string{"-t", "s", tree, node, "default-state", "off"},
			[]string{"-t", "x", tree, node, "gpios", handle, strconv.FormatInt(int64(m.lines[m.leds[name]]), 16), "0"})
	}
	for _, words := range steps {
		if _, err := command(ctx, "fdtput", words...); err != nil {
			return err
		}
	}
	return nil
}

// stockTree writes the tree of the kernel's package, or what QEMU makes for its
// own machine, without the power key that takes a line.
func (m *model) stockTree(ctx context.Context, kit *Kit, to string) error {
	if m.deviceTree != "" {
		content, err := os.ReadFile(kit.DeviceTree(m.deviceTree))
		if err != nil {
			return err
		}
		return os.WriteFile(to, content, 0o644)
	}
	machine := append([]string(nil), m.machine...)
	machine[1] += ",dumpdtb=" + filepath.Clean(to)
	args := append(machine, "-m", m.memoryArg(), "-display", "none")
	if _, err := command(ctx, m.qemu, args...); err != nil {
		return err
	}
	_, err := command(ctx, "fdtput", "-r", to, "/gpio-keys")
	return err
}
