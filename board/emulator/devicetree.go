package emulator

import (
	"context"
	"os"
	"path/filepath"
)

// deviceTree gives the path of the board's device tree with the names of the
// GPIO lines in it.
func (m *model) deviceTreeFile(ctx context.Context, kit *Kit) (string, error) {
	key := keyOf(append(append([]string{kit.key, m.deviceTree, m.gpioNode}, m.machine...), m.lineNames()...)...)
	return cached("tree-"+m.arch+"-"+key+".dtb", func(aside string) error {
		if err := m.stockTree(ctx, kit, aside); err != nil {
			return err
		}
		// fdtput's words are the strings of the property, empty ones too.
		args := append([]string{"-t", "s", aside, m.gpioNode, "gpio-line-names"}, m.lineNames()...)
		_, err := command(ctx, "fdtput", args...)
		return err
	})
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
