package house

// A rule says which packages of ours the packages of one folder may import.
// Paths are relative to the module. One that ends in /... stands for the folder
// and all below it. The rule with the longest matching path counts.
type rule struct {
	of       string
	mayReach []string
}

var rules = []rule{
	{"callflow", nil},
	{"callflow/doorway", nil},
	{"callflow/keypad", nil},
	{"callflow/timeline", nil},
	{"callflow/sipua/...", []string{"callflow", "callflow/sipua/..."}},

	{"media/...", nil}, // h264, g711, dtmf, jitter, tone, sdp, nat …: pure
	{"media/audio/...", []string{"media/..."}},
	{"media/session/...", []string{"media/..."}},

	{"drivers", nil},
	{"drivers/seqpacket", nil},
	{"drivers/annexb", nil},
	{"drivers/...", []string{"drivers", "drivers/annexb", "drivers/seqpacket"}},

	{"board", []string{"drivers"}},
	{"board/compile/...", []string{"board", "drivers"}},
	{"board/detect/...", []string{"board"}},
	{"board/wiring/...", []string{"board"}},
	{"board/devicetree/...", nil},
	{"board/emulator/...", []string{"board/emulator"}},

	{"provisioning/...", []string{"provisioning"}},

	{"scripts/...", nil},

	{"firmware/doorguard", []string{"drivers", "drivers/guard", "drivers/gpio", "drivers/led", "drivers/sim", "drivers/watchdog", "board"}},
	{"firmware/doorstationd", []string{"firmware/...", "board", "provisioning"}},
	{"firmware/doorctl", []string{"firmware/...", "callflow/timeline", "callflow/sipua/trace", "board/...", "provisioning"}},
	{"firmware/station/...", []string{"..."}},
	{"firmware/history/...", []string{"callflow/timeline"}},
	{"firmware/control/...", []string{"callflow", "callflow/timeline", "callflow/sipua/trace", "firmware/history"}},
	{"firmware/web/...", []string{"callflow/timeline", "firmware/control"}},
	{"firmware/sim/...", []string{"media/...", "drivers/...", "board/...", "callflow/timeline", "provisioning", "firmware/sim/...", "firmware/control"}},
	{"firmware/e2e/...", []string{"..."}},
	{"firmware/house", nil},
}

// What tests may import beside what their package may: the stand-ins for
// hardware, and the programs under test of a package beside them.
var testsMayReach = []string{"drivers", "drivers/fake", "drivers/seqpacket", "drivers/sim", "drivers/guard", "drivers/openh264", "drivers/testcard", "board/compile", "board/devicetree", "board/emulator", "board/wiring"}

// A reserve says which packages of ours may use a package of others. Tests may
// use all of them.
type reserve struct {
	path  string
	users []string
}

var foreign = []reserve{
	{"github.com/emiago/sipgo/...", []string{"callflow/sipua/...", "firmware/sim/..."}},
	{"github.com/icholy/digest/...", []string{"callflow/sipua/...", "provisioning/...", "firmware/sim/..."}},
	{"github.com/miekg/dns/...", []string{"callflow/sipua/locate"}},
	{"github.com/chromedp/...", nil},
	{"periph.io/x/host/...", []string{"board/detect/..."}},
	{"github.com/google/jsonschema-go/...", nil},
	{"text/template", nil},
	{"html/template", nil},
	{"net", []string{"callflow/sipua/...", "media/nat/...", "media/session/...", "provisioning/...", "firmware/...", "drivers/...", "board/emulator/..."}},
	{"os/exec", []string{"firmware/sim/...", "scripts/...", "board/emulator/..."}},
}

// Packages that have no socket, clock of their own, file or goroutine.
var pure = []string{
	"board/devicetree",
	"callflow", "callflow/doorway", "callflow/keypad", "callflow/timeline",
	"callflow/sipua/wire",
	"media/sdp", "media/h264", "media/g711", "media/dtmf", "media/jitter", "media/tone",
}

// What a pure package may not import.
var impure = []string{"net", "os/...", "log/...", "context", "sync/...", "golang.org/x/sys/..."}
