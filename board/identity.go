package board

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Read returns the serial number and the MAC address of this panel; the
// address is twelve lower-case hexadecimal digits with colons.
func (id Identity) Read() (serial, mac string, err error) {
	serial, err = either(id.Serial, id.SerialFile)
	if err != nil {
		return "", "", fmt.Errorf("board: serial number: %w", err)
	}
	mac, err = either(id.MAC, id.MACFile)
	if err != nil {
		return "", "", fmt.Errorf("board: MAC address: %w", err)
	}
	mac = strings.ToLower(mac)
	if !validMAC(mac) {
		return "", "", fmt.Errorf("board: MAC address %q, want six bytes as 02:00:00:00:00:01", mac)
	}
	return serial, mac, nil
}

// either returns the value, or the first line of the file.
func either(value, file string) (string, error) {
	if file == "" {
		return value, nil
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	first = strings.Trim(first, " \t\r\x00") // device tree properties end with a zero
	if first == "" || len(first) > maxModel {
		return "", fmt.Errorf("%s: first line has %d bytes, want 1 to %d", file, len(first), maxModel)
	}
	return first, nil
}

// validMAC says whether s is six bytes of lower-case hexadecimal with colons.
func validMAC(s string) bool {
	if len(s) != 17 {
		return false
	}
	for i, c := range []byte(s) {
		hex := '0' <= c && c <= '9' || 'a' <= c && c <= 'f'
		if i%3 == 2 && c != ':' || i%3 != 2 && !hex {
			return false
		}
	}
	return true
}

func (c *checker) identity(id Identity) {
	c.oneOf("identity.serial", id.Serial, "identity.serial_file", id.SerialFile)
	c.oneOf("identity.mac", id.MAC, "identity.mac_file", id.MACFile)
	c.text("identity.serial", id.Serial, maxModel, false)
	if id.MAC != "" && !validMAC(strings.ToLower(id.MAC)) {
		c.fault("identity.mac", quoted(id.MAC), "six bytes as 02:00:00:00:00:01")
	}
	c.file("identity.serial_file", id.SerialFile)
	c.file("identity.mac_file", id.MACFile)
}

func (c *checker) oneOf(path, value, filePath, file string) {
	switch {
	case value == "" && file == "":
		c.fault(path, "", "a value, or "+filePath)
	case value != "" && file != "":
		c.fault(filePath, quoted(file), "only one of "+path+" and "+filePath)
	}
}

func (c *checker) file(path, file string) {
	if file != "" && !filepath.IsAbs(file) {
		c.fault(path, quoted(file), "an absolute path")
	}
}
