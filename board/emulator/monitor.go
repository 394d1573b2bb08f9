package emulator

import "fmt"

// Reset presses the board's reset button.
func (m *Machine) Reset() error { return m.qmp.do("system_reset", nil, nil) }

// Freeze stops the processors, and Thaw lets them go on. Lines keep their levels.
func (m *Machine) Freeze() error { return m.qmp.do("stop", nil, nil) }

// Thaw lets a frozen machine go on.
func (m *Machine) Thaw() error { return m.qmp.do("cont", nil, nil) }

// Plug puts the network cable into the guest's eth0, or pulls it: the guest's
// driver sees the link come or go.
func (m *Machine) Plug(in bool) error {
	return m.qmp.do("set_link", map[string]any{"name": netdev, "up": in}, nil)
}

// Writes is how many writes and flushes the data disk has been asked for since
// power-on.
func (m *Machine) Writes() (writes, flushes int, err error) {
	var disks []struct {
		Device string `json:"device"`
		Node   string `json:"node-name"`
		Stats  struct {
			Writes  int `json:"wr_operations"`
			Flushes int `json:"flush_operations"`
		} `json:"stats"`
	}
	if err := m.qmp.do("query-blockstats", nil, &disks); err != nil {
		return 0, 0, err
	}
	for _, d := range disks {
		if d.Device == diskID || d.Node == diskID {
			return d.Stats.Writes, d.Stats.Flushes, nil
		}
	}
	return 0, 0, fmt.Errorf("emulator: this machine has no data disk")
}
