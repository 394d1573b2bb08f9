package devicetree

import (
	"slices"
	"strconv"
	"strings"
)

// Lines a bank of the controllers that count in banks.
const (
	sunxiBank = 32
	stm32Bank = 16
)

// decoders read the pins of a pin group, by the compatible string of the pin
// controller. A pin is numbered as the controller's driver in Linux does it,
// which is also how gpio-ranges count.
var decoders = map[string]func(controller, group *Node) []uint32{
	"brcm,bcm2835-gpio":            bcmPins,
	"brcm,bcm2711-gpio":            bcmPins,
	"allwinner,sun8i-h3-pinctrl":   func(_, group *Node) []uint32 { return sunxiPins(group, 'A') },
	"allwinner,sun8i-h3-r-pinctrl": func(_, group *Node) []uint32 { return sunxiPins(group, 'L') },
	"fsl,imx6ul-iomuxc":            imxPins,
	"fsl,imx6ull-iomuxc-snvs":      imxPins,
	"st,stm32mp157-pinctrl":        stm32Pins,
	"st,stm32mp157-z-pinctrl":      stm32Pins,
	"pinctrl-single":               singlePins,
}

// decoderOf finds the pin controller that a group belongs to.
func decoderOf(group *Node) (controller *Node, decode func(controller, group *Node) []uint32) {
	for n := group.above; n != nil; n = n.above {
		for _, c := range n.Compatible() {
			if decode := decoders[c]; decode != nil {
				return n, decode
			}
		}
	}
	return nil, nil
}

// bcmPins: brcm,pins are GPIO numbers; newer groups write pins = "gpio4".
func bcmPins(_, group *Node) []uint32 {
	pins := slices.Clone(group.Cells("brcm,pins"))
	for _, name := range group.Strings("pins") {
		if n, err := strconv.ParseUint(strings.TrimPrefix(name, "gpio"), 10, 16); err == nil {
			pins = append(pins, uint32(n))
		}
	}
	return pins
}

// sunxiPins: pins = "PA4" is bank A, pin 4; first is the controller's bank 0.
func sunxiPins(group *Node, first byte) []uint32 {
	var pins []uint32
	for _, name := range group.Strings("pins") {
		if len(name) < 3 || name[0] != 'P' || name[1] < first {
			continue
		}
		if n, err := strconv.ParseUint(name[2:], 10, 16); err == nil {
			pins = append(pins, uint32(name[1]-first)*sunxiBank+uint32(n))
		}
	}
	return pins
}

// imxPins: fsl,pins has six numbers a pad: the offset of its multiplexer's
// register, that of its configuration's, the input's, the function, the input's
// value, the configuration. The driver counts pads by the first register, a
// word each; a pad without a multiplexer by the second.
func imxPins(controller, group *Node) []uint32 {
	const each = 6
	var pins []uint32
	zeroIsOffset := slices.Contains(controller.Compatible(), "fsl,imx6ull-iomuxc-snvs")
	for pads := group.Cells("fsl,pins"); len(pads) >= each; pads = pads[each:] {
		register := pads[0]
		if register == 0 && !zeroIsOffset {
			register = pads[1]
		}
		pins = append(pins, register/4)
	}
	return pins
}

// stm32Pins: a number of pinmux has the pin from bit 8 up, the function below.
func stm32Pins(_, group *Node) []uint32 {
	var pins []uint32
	for _, mux := range group.Cells("pinmux") {
		pins = append(pins, mux>>8)
	}
	return pins
}

// singlePins: pinctrl-single,pins begins each entry with the offset of a
// register; #pinctrl-cells says how many numbers follow it.
func singlePins(controller, group *Node) []uint32 {
	follow, ok := controller.Cell("#pinctrl-cells")
	if !ok || follow == 0 || follow > 4 {
		follow = 1
	}
	width, ok := controller.Cell("pinctrl-single,register-width")
	if !ok || width < 8 {
		width = 32
	}
	each := 1 + int(follow)
	var pins []uint32
	for entries := group.Cells("pinctrl-single,pins"); len(entries) >= each; entries = entries[each:] {
		pins = append(pins, entries[0]/(width/8))
	}
	return pins
}

// lineOf finds the GPIO line of a pin, by the chips' gpio-ranges, or on a
// controller that is the GPIO chip itself by the same number.
func lineOf(chips []*Chip, controller *Node, pin uint32) (Line, bool) {
	for _, c := range chips {
		if len(c.ranges) == 0 && c.Node == controller && pin < uint32(c.Lines) {
			return Line{c, int(pin)}, true
		}
		for _, r := range c.ranges {
			if r.controller == controller && pin >= r.pin && pin-r.pin < r.count && r.line < uint32(c.Lines) && pin-r.pin < uint32(c.Lines)-r.line {
				return Line{c, int(r.line + pin - r.pin)}, true
			}
		}
	}
	return Line{}, false
}
