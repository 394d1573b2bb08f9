//go:build board

package board_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"doorstation/board"
	"doorstation/board/devicetree"
	"doorstation/board/emulator"
)

// trees are the device trees of the real boards in Debian's kernel package
// linux-image-armmp.
var trees = map[string]string{
	"raspberry-pi-zero-2-w": "bcm2837-rpi-zero-2-w.dtb",
	"raspberry-pi-cm4":      "bcm2711-rpi-cm4-io.dtb",
	"beaglebone-black":      "am335x-boneblack.dtb",
	"nanopi-neo":            "sun8i-h3-nanopi-neo.dtb",
	"stm32mp157c-dk2":       "stm32mp157c-dk2.dtb",
	"imx6ull-evk":           "imx6ull-14x14-evk.dtb",
}

// kernelTree reads a tree of the kernel package.
func kernelTree(t *testing.T, kit *emulator.Kit, name string) *devicetree.Tree {
	t.Helper()
	raw, err := os.ReadFile(kit.DeviceTree(name))
	if err != nil {
		t.Fatal(err)
	}
	tree, err := devicetree.Parse(raw)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return tree
}

func armhfKit(t *testing.T) *emulator.Kit {
	t.Helper()
	kit, err := emulator.Fetch(t.Context(), "armhf")
	if err != nil {
		t.Fatal(err)
	}
	return kit
}

// TestBoardsFitTheirDeviceTrees holds each line of the real boards against
// what the kernel's device tree says of that board: the chip and the line exist, and
// nothing in the tree takes it.
func TestBoardsFitTheirDeviceTrees(t *testing.T) {
	kit := armhfKit(t)
	for name, file := range trees {
		t.Run(name, func(t *testing.T) {
			b := readBoard(t, name+".yaml")
			tree := kernelTree(t, kit, file)
			if got := tree.Root.Compatible(); !slices.Contains(got, b.Compatible[0]) {
				t.Errorf("the board is %q, the tree is of %q", b.Compatible, got)
			}
			uses := tree.Uses()
			lines := gpioLines(b)
			for path, line := range lines {
				if why := taken(tree, uses, line); why != "" {
					t.Errorf("%s: %s", path, why)
				}
			}
			t.Logf("%s of %s: %d lines are free; %d parts of the tree could not be checked", name, kit.Release, len(lines), len(uses.Unchecked))
			for _, one := range uses.Unchecked {
				t.Logf("unchecked: %s", one)
			}
		})
	}
}

// TestBoardLinesThatAreTaken moves a line to pins that each board's tree has given
// away, in each of the ways there are.
func TestBoardLinesThatAreTaken(t *testing.T) {
	kit := armhfKit(t)
	for _, c := range []struct{ board, line, by string }{
		{"raspberry-pi-zero-2-w", "SDA1", "i2c@7e804000: pins i2c1_gpio2"},
		{"raspberry-pi-zero-2-w", "RXD0", "pins uart1_gpio14"},
		{"raspberry-pi-zero-2-w", "STATUS_LED_N", "gpios"},
		{"raspberry-pi-cm4", "pinctrl-bcm2711:2", "i2c"},
		{"raspberry-pi-cm4", "BT_ON", "shutdown-gpios"},
		{"beaglebone-black", "P9_20 [i2c2_sda]", "pins pinmux_i2c2_pins"},
		{"beaglebone-black", "P8_25 [mmc1_dat0]", "pins pinmux_emmc_pins"},
		{"beaglebone-black", "[usr0 led]", "gpios"},
		{"nanopi-neo", "1c20800.pinctrl:4", "serial@1c28000: pins uart0-pa-pins"},
		{"nanopi-neo", "1c20800.pinctrl:10", "leds/led-0: gpios"},
		{"nanopi-neo", "1f02c00.pinctrl:3", "gpio-keys"},
		{"stm32mp157c-dk2", "GPIOD:11", "led-blue: gpios"},
		{"stm32mp157c-dk2", "GPIOZ:4", "i2c@5c002000: pins i2c4"},
		{"stm32mp157c-dk2", "GPIOG:1", "hdmi-transmitter@39: interrupt"},
		{"stm32mp157c-dk2", "GPIOG:11", "serial@40010000: pins uart4-0"},
		{"imx6ull-evk", "209c000.gpio:28", "i2c@21a0000: pins i2c1grp"},
		{"imx6ull-evk", "20a8000.gpio:11", "spi@21e0000: pins qspigrp"},
		{"imx6ull-evk", "209c000.gpio:19", "cd-gpios"},
		{"imx6ull-evk", "20a0000.gpio:22", "want 1"}, // GPIO2 ends at 21
		{"nanopi-neo", "1c20800.pinctrl:32", "want 1"},
		{"raspberry-pi-cm4", "GPIO99", "want 1"},
	} {
		tree := kernelTree(t, kit, trees[c.board])
		if why := taken(tree, tree.Uses(), c.line); !strings.Contains(why, c.by) {
			t.Errorf("%s, line %s: %q, want it taken by %q", c.board, c.line, why, c.by)
		}
	}
}

// taken says why a line cannot be had, or "".
func taken(tree *devicetree.Tree, uses *devicetree.Uses, line string) string {
	l, err := tree.Find(line)
	if err != nil {
		return err.Error()
	}
	var who []string
	for _, u := range uses.Of(l) {
		who = append(who, u.String())
	}
	return strings.Join(who, "; ")
}

// gpioLines are all lines of a board that the kernel's GPIO has, by their path
// in the board file.
func gpioLines(b *board.Board) map[string]string {
	lines := make(map[string]string)
	add := func(name, driver, line string) {
		if driver == "gpio" {
			lines[name] = line
		}
	}
	for _, in := range b.Inputs {
		add(in.Name, in.Driver, in.Line)
	}
	for _, r := range b.Relays {
		add(r.Name, r.Driver, r.Line)
	}
	for _, l := range b.Lamps {
		add(l.Name, l.Driver, l.Line)
	}
	for _, o := range b.Outputs {
		add(o.Name, o.Driver, o.Line)
	}
	return lines
}
