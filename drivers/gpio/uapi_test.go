package gpio

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"unsafe"
)

// compilers are those of the machines that the project is built for; the
// packages of Debian that have them.
var compilers = map[string]string{
	"cc":                      "gcc libc6-dev",
	"arm-linux-gnueabihf-gcc": "gcc-arm-linux-gnueabihf libc6-dev-armhf-cross",
	"aarch64-linux-gnu-gcc":   "gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
}

// TestAgainstC lets C compilers compare our figures with linux/gpio.h.
func TestAgainstC(t *testing.T) {
	var r lineRequest
	var c lineConfig
	var i lineInfo
	var e lineEvent
	var a lineAttribute
	var ca configAttribute
	source := "#include <stddef.h>\n#include <linux/gpio.h>\n"
	for what, is := range map[string]uintptr{
		"sizeof(struct gpiochip_info)":                                unsafe.Sizeof(chipInfo{}),
		"sizeof(struct gpio_v2_line_info)":                            unsafe.Sizeof(i),
		"sizeof(struct gpio_v2_line_request)":                         unsafe.Sizeof(r),
		"sizeof(struct gpio_v2_line_values)":                          unsafe.Sizeof(lineValues{}),
		"sizeof(struct gpio_v2_line_event)":                           unsafe.Sizeof(e),
		"sizeof(struct gpio_v2_line_attribute)":                       unsafe.Sizeof(a),
		"offsetof(struct gpiochip_info, label)":                       unsafe.Offsetof(chipInfo{}.label),
		"offsetof(struct gpiochip_info, lines)":                       unsafe.Offsetof(chipInfo{}.lines),
		"offsetof(struct gpio_v2_line_request, consumer)":             unsafe.Offsetof(r.consumer),
		"offsetof(struct gpio_v2_line_request, config)":               unsafe.Offsetof(r.config),
		"offsetof(struct gpio_v2_line_request, num_lines)":            unsafe.Offsetof(r.numLines),
		"offsetof(struct gpio_v2_line_request, event_buffer_size)":    unsafe.Offsetof(r.eventSize),
		"offsetof(struct gpio_v2_line_request, fd)":                   unsafe.Offsetof(r.fd),
		"offsetof(struct gpio_v2_line_config, num_attrs)":             unsafe.Offsetof(c.numAttrs),
		"offsetof(struct gpio_v2_line_config, attrs)":                 unsafe.Offsetof(c.attrs),
		"offsetof(struct gpio_v2_line_config_attribute, mask)":        unsafe.Offsetof(ca.mask),
		"offsetof(struct gpio_v2_line_attribute, debounce_period_us)": unsafe.Offsetof(a.value),
		"offsetof(struct gpio_v2_line_info, consumer)":                unsafe.Offsetof(i.consumer),
		"offsetof(struct gpio_v2_line_info, offset)":                  unsafe.Offsetof(i.offset),
		"offsetof(struct gpio_v2_line_event, id)":                     unsafe.Offsetof(e.id),
		"offsetof(struct gpio_v2_line_values, mask)":                  unsafe.Offsetof(lineValues{}.mask),
		"GPIO_GET_CHIPINFO_IOCTL":                                     ioctlChipInfo,
		"GPIO_V2_GET_LINEINFO_IOCTL":                                  ioctlLineInfo,
		"GPIO_V2_GET_LINE_IOCTL":                                      ioctlGetLine,
		"GPIO_V2_LINE_GET_VALUES_IOCTL":                               ioctlGetValues,
		"GPIO_V2_LINE_SET_VALUES_IOCTL":                               ioctlSetValues,
		"GPIO_V2_LINES_MAX":                                           maxLines,
		"GPIO_V2_LINE_NUM_ATTRS_MAX":                                  maxAttrs,
		"GPIO_MAX_NAME_SIZE":                                          nameLength,
		"GPIO_V2_LINE_FLAG_INPUT":                                     flagInput,
		"GPIO_V2_LINE_FLAG_OUTPUT":                                    flagOutput,
		"GPIO_V2_LINE_FLAG_EDGE_RISING":                               flagEdgeRising,
		"GPIO_V2_LINE_FLAG_EDGE_FALLING":                              flagEdgeFalling,
		"GPIO_V2_LINE_FLAG_OPEN_DRAIN":                                flagOpenDrain,
		"GPIO_V2_LINE_FLAG_OPEN_SOURCE":                               flagOpenSource,
		"GPIO_V2_LINE_FLAG_BIAS_PULL_UP":                              flagPullUp,
		"GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN":                            flagPullDown,
		"GPIO_V2_LINE_FLAG_BIAS_DISABLED":                             flagBiasDisabled,
		"GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES":                          attrOutputValues,
		"GPIO_V2_LINE_ATTR_ID_DEBOUNCE":                               attrDebounce,
		"GPIO_V2_LINE_EVENT_RISING_EDGE":                              eventRising,
	} {
		source += fmt.Sprintf("_Static_assert((unsigned long)(%s) == %d, \"%s is not %d\");\n", what, is, what, is)
	}
	for compiler, packages := range compilers {
		cmd := exec.Command(compiler, "-fsyntax-only", "-x", "c", "-")
		cmd.Stdin = strings.NewReader(source)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v (apt-get install %s)\n%s", compiler, err, packages, out)
		}
	}
}
