package devicetree

import (
	"errors"
	"strings"
	"testing"
)

// The handles of the controllers in the tests' trees.
const (
	gpioHandle = 1 + iota
	pinsHandle
	groupHandle
	otherHandle
)

// chip is a PL061-like controller with the lines' names.
func chip(names ...string) spec {
	return spec{name: "gpio@9030000", props: []prop{
		{"compatible", texts("arm,pl061", "arm,primecell")}, {"gpio-controller", nil}, {"#gpio-cells", words(2)},
		{"#interrupt-cells", words(2)}, {"phandle", words(gpioHandle)}, {"gpio-line-names", texts(names...)},
	}}
}

func parse(t *testing.T, root spec) *Tree {
	t.Helper()
	tree, err := Parse(blob(root))
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestParse(t *testing.T) {
	tree := parse(t, spec{below: []spec{
		{name: "soc", props: []prop{{"status", texts("disabled")}}, below: []spec{{name: "uart@10", props: []prop{{"reg", words(16, 4)}}}}},
		{name: "leds", props: []prop{{"label", texts("one", "two")}, {"empty", nil}, {"odd", []byte{0, 0, 0, 1, 2}}}},
	}})
	uart, leds := tree.Root.Children[0].Children[0], tree.Root.Children[1]
	if uart.Path() != "/soc/uart@10" || uart.Enabled() || !leds.Enabled() {
		t.Errorf("%s enabled %v, %s enabled %v", uart.Path(), uart.Enabled(), leds.Path(), leds.Enabled())
	}
	if got := leds.Strings("label"); len(got) != 2 || got[1] != "two" || !leds.Has("empty") || leds.Has("reg") {
		t.Errorf("label %q", got)
	}
	if got := uart.Cells("reg"); len(got) != 2 || got[0] != 16 || len(leds.Cells("odd")) != 1 {
		t.Errorf("reg %v, odd %v", got, leds.Cells("odd"))
	}
}

func TestParseRefuses(t *testing.T) {
	good := blob(spec{below: []spec{chip("A", "B")}})
	change := func(at int, value byte) []byte {
		bad := append([]byte(nil), good...)
		bad[at] = value
		return bad
	}
	deep := spec{name: "x"}
	for range maxDepth + 1 {
		deep = spec{name: "x", below: []spec{deep}}
	}
	for name, raw := range map[string][]byte{
		"nothing": nil, "no magic": change(0, 1), "a later format": change(27, 18), "cut off": good[:60],
		"structure behind the end": change(9, 1), "strings behind the end": change(13, 1), "no root": change(headerSize+16+3, 3),
		"no end": change(headerSize+16+3, 9), "nodes in nodes": blob(deep), "too long": append(good, make([]byte, MaxSize)...),
	} {
		if tree, err := Parse(raw); err == nil {
			t.Errorf("%s: read as %v", name, tree.Root)
		}
	}
	if _, err := Parse([]byte("hello")); !errors.Is(err, ErrNoTree) {
		t.Error(err)
	}
}

func TestFind(t *testing.T) {
	tree := parse(t, spec{below: []spec{
		chip("BUTTON", "", "TWICE", "TWICE"),
		{name: "gpio@20a8000", props: []prop{
			{"compatible", texts("fsl,imx35-gpio")}, {"gpio-controller", nil}, {"phandle", words(otherHandle)},
			{"gpio-ranges", words(pinsHandle, 0, 10, 4, pinsHandle, 6, 20, 2)},
		}},
		{name: "gpio@1", props: []prop{{"compatible", texts("arm,pl061")}, {"gpio-controller", nil}, {"status", texts("disabled")}, {"gpio-line-names", texts("OFF")}}},
		{name: "pinctrl@1c20800", props: []prop{{"compatible", texts("allwinner,sun8i-h3-pinctrl")}, {"gpio-controller", nil}}},
		{name: "bank", props: []prop{{"gpio-controller", nil}, {"st,bank-name", texts("GPIOE")}, {"ngpios", words(12)}}},
	}})
	for _, c := range []struct{ line, want string }{
		{"BUTTON", "9030000.gpio:0 (BUTTON)"},
		{"9030000.gpio:7", "9030000.gpio:7"},
		{"20a8000.gpio:3", "20a8000.gpio:3"},
		{"20a8000.gpio:7", "20a8000.gpio:7"},
		{"1c20800.pinctrl:203", "1c20800.pinctrl:203"}, // PG11
		{"GPIOE:11", "GPIOE:11"},
		{"9030000.gpio:8", ""}, {"9030000.gpio:-1", ""}, {"20a8000.gpio:4", ""}, {"1c20800.pinctrl:32", ""},
		{"1c20800.pinctrl:206", ""}, {"GPIOE:12", ""}, {"TWICE", ""}, {"OFF", ""}, {"1.gpio:0", ""}, {"", ""}, {":0", ""}, {"NONE", ""},
	} {
		got, err := tree.Find(c.line)
		if c.want == "" && err == nil || c.want != "" && (err != nil || got.String() != c.want) {
			t.Errorf("line %q is %v, %v; want %q", c.line, got, err, c.want)
		}
	}
}

// TestUses writes one way to take a line into a tree and sees it taken, and no
// line beside it.
func TestUses(t *testing.T) {
	device := func(props ...prop) spec { return spec{name: "device", props: props} }
	for _, c := range []struct {
		name  string
		node  spec
		lines []int
		how   string
	}{
		{"nothing", device(prop{"gpio-line-names", texts("x")}), nil, ""},
		{"gpios", device(prop{"gpios", words(gpioHandle, 3, 0)}), []int{3}, "gpios"},
		{"two gpios", device(prop{"cs-gpios", words(gpioHandle, 3, 0, 0, gpioHandle, 5, 1)}), []int{3, 5}, "cs-gpios"},
		{"an old gpio", device(prop{"snps,reset-gpio", words(gpioHandle, 2, 0)}), []int{2}, "snps,reset-gpio"},
		{"a gpio of a device that is off", device(prop{"status", texts("disabled")}, prop{"wp-gpios", words(gpioHandle, 2, 0)}), []int{2}, "wp-gpios"},
		{"an interrupt", device(prop{"interrupt-parent", words(gpioHandle)}, prop{"interrupts", words(6, 1)}), []int{6}, "interrupt"},
		{"an interrupt of a device that is off", device(prop{"status", texts("disabled")}, prop{"interrupt-parent", words(gpioHandle)}, prop{"interrupts", words(6, 1)}), nil, ""},
		{"interrupts-extended", device(prop{"interrupts-extended", words(gpioHandle, 1, 4)}), []int{1}, "interrupt"},
		{"a line that the chip has not", device(prop{"gpios", words(gpioHandle, 8, 0)}), nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := parse(t, spec{below: []spec{chip(), c.node}})
			check(t, tree, c.lines, c.how)
		})
	}
	hogged := chip()
	hogged.below = []spec{{name: "on", props: []prop{{"gpio-hog", nil}, {"gpios", words(7, 0)}}}}
	check(t, parse(t, spec{below: []spec{hogged}}), []int{7}, "hog")
}

// check sees exactly these lines of the first chip taken.
func check(t *testing.T, tree *Tree, lines []int, how string) {
	t.Helper()
	uses, c := tree.Uses(), tree.Chips()[0]
	taken := make(map[int]bool)
	for _, n := range lines {
		taken[n] = true
	}
	for n := range c.Lines {
		got := uses.Of(Line{c, n})
		if (len(got) > 0) != taken[n] || len(got) > 0 && !strings.Contains(got[0].How, how) {
			t.Errorf("%v is used by %v, want taken %v by %q", Line{c, n}, got, taken[n], how)
		}
	}
	if free := len(uses.Free(c)); len(uses.Unchecked) > 0 || free != c.Lines-len(lines) {
		t.Errorf("unchecked %q; %d lines are free", uses.Unchecked, free)
	}
}

// TestPins reads the pin groups of every kind of controller: of a device that
// is on, and of the same one switched off.
func TestPins(t *testing.T) {
	for _, c := range []struct {
		name       string
		controller []prop // of the controller, which is the first chip where it has gpio-controller
		bank       []prop // of a GPIO bank beside it
		group      prop
		lines      []int
	}{
		{
			"bcm2835", []prop{{"compatible", texts("brcm,bcm2835-gpio")}, {"gpio-controller", nil}},
			nil, prop{"brcm,pins", words(2, 3)}, []int{2, 3},
		},
		{
			"bcm2711 by name", []prop{{"compatible", texts("brcm,bcm2711-gpio")}, {"gpio-controller", nil}},
			nil, prop{"pins", texts("gpio44", "gpio45")}, []int{44, 45},
		},
		{
			"sunxi", []prop{{"compatible", texts("allwinner,sun8i-h3-r-pinctrl")}, {"gpio-controller", nil}},
			nil, prop{"pins", texts("PL2", "PL11", "PA3")}, []int{2, 11},
		},
		{
			"imx", []prop{{"compatible", texts("fsl,imx6ul-iomuxc")}},
			[]prop{{"compatible", texts("fsl,imx35-gpio")}, {"gpio-controller", nil}, {"gpio-ranges", words(pinsHandle, 0, 30, 32)}},
			prop{"fsl,pins", words(31*4, 0x400, 0, 5, 0, 0x10b0, 0, 33*4, 0, 5, 0, 0)}, []int{1, 3},
		},
		{
			"stm32", []prop{{"compatible", texts("st,stm32mp157-pinctrl")}},
			[]prop{{"st,bank-name", texts("GPIOE")}, {"gpio-controller", nil}, {"gpio-ranges", words(pinsHandle, 0, 64, 16)}},
			prop{"pinmux", words((64+7)<<8|8, (64+9)<<8|3)}, []int{7, 9},
		},
		{
			"pinctrl-single", []prop{{"compatible", texts("pinctrl-single")}, {"#pinctrl-cells", words(2)}, {"pinctrl-single,register-width", words(32)}},
			[]prop{{"compatible", texts("ti,omap4-gpio")}, {"gpio-controller", nil}, {"gpio-ranges", words(pinsHandle, 0, 82, 8, pinsHandle, 8, 52, 4, pinsHandle, 12, 94, 20)}},
			prop{"pinctrl-single,pins", words(84*4, 0x30, 7, 52*4, 0, 3)}, []int{2, 8},
		},
	} {
		for _, status := range []string{"okay", "disabled"} {
			t.Run(c.name+" "+status, func(t *testing.T) {
				group := spec{name: "pins-group", props: []prop{{"phandle", words(groupHandle)}}, below: []spec{{name: "part", props: []prop{c.group}}}}
				root := spec{below: []spec{{name: "controller", props: append(c.controller, prop{"phandle", words(pinsHandle)}), below: []spec{group}}}}
				if c.bank != nil {
					root.below = append(root.below, spec{name: "bank", props: c.bank})
				}
				root.below = append(root.below, spec{name: "device", props: []prop{
					{"status", texts(status)}, {"pinctrl-names", texts("default", "sleep")}, {"pinctrl-1", words(groupHandle)},
				}})
				tree := parse(t, root)
				uses, chip := tree.Uses(), tree.Chips()[0]
				for n := range chip.Lines {
					want := status == "okay" && (n == c.lines[0] || n == c.lines[1])
					if got := uses.Of(Line{chip, n}); (len(got) > 0) != want {
						t.Errorf("%v is used by %v, want taken %v", Line{chip, n}, got, want)
					}
				}
				if len(uses.Unchecked) > 0 {
					t.Errorf("unchecked: %q", uses.Unchecked)
				}
			})
		}
	}
}

// TestUnchecked sees that what cannot be read is told.
func TestUnchecked(t *testing.T) {
	tree := parse(t, spec{below: []spec{
		chip(),
		{name: "pinctrl", props: []prop{{"compatible", texts("acme,pins")}}, below: []spec{{name: "group", props: []prop{{"phandle", words(groupHandle)}}}}},
		{name: "a", props: []prop{{"pinctrl-0", words(groupHandle)}}},
		{name: "b", props: []prop{{"pinctrl-0", words(99)}}},
		{name: "c", props: []prop{{"reset-gpios", words(99, 1, 0)}}},
		{name: "d", props: []prop{{"reset-gpios", words(gpioHandle, 1)}}},
		{name: "__symbols__", props: []prop{{"gpio", texts("/gpio@9030000")}}},
	}})
	got := strings.Join(tree.Uses().Unchecked, "\n")
	for _, want := range []string{"/a: pins group", "/b: pinctrl-0", "/c: reset-gpios", "/d: reset-gpios"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not among the unchecked:\n%s", want, got)
		}
	}
	if n := len(tree.Uses().Unchecked); n != 4 {
		t.Errorf("%d are unchecked, want 4:\n%s", n, got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(blob(spec{below: []spec{chip("A", "B")}}))
	f.Add(blob(spec{below: []spec{chip(), {name: "d", props: []prop{{"gpios", words(gpioHandle, 3, 0)}, {"pinctrl-0", words(groupHandle)}}}}}))
	f.Add(blob(spec{below: []spec{{name: "c", props: []prop{
		{"compatible", texts("pinctrl-single")}, {"gpio-controller", nil}, {"phandle", words(pinsHandle)}, {"#pinctrl-cells", words(9)},
		{"gpio-ranges", words(pinsHandle, 0xffffffff, 0, 0xffffffff)}, {"ngpios", words(0xffffffff)}, {"pinctrl-0", words(groupHandle)},
	}, below: []spec{{name: "g", props: []prop{{"phandle", words(groupHandle)}, {"pinctrl-single,pins", words(0, 1, 2)}}}}}}}))
	f.Add([]byte{0xd0, 0x0d, 0xfe, 0xed})
	f.Fuzz(func(t *testing.T, raw []byte) {
		tree, err := Parse(raw)
		if err != nil {
			return
		}
		uses := tree.Uses()
		for _, c := range tree.Chips() {
			for _, l := range uses.Free(c) {
				if len(uses.Of(l)) > 0 {
					t.Errorf("%v is free and used by %v", l, uses.Of(l))
				}
			}
		}
	})
}
