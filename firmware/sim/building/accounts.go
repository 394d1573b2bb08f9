package building

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// ReadAccounts reads a file of accounts, user:password a line. Without a name
// there are none. Empty lines and those that begin with # are passed over.
func ReadAccounts(name string) (map[string]string, error) {
	accounts := make(map[string]string)
	if name == "" {
		return accounts, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		user, password, ok := strings.Cut(line, ":")
		if !ok || user == "" || password == "" {
			return nil, fmt.Errorf("%s line %d: want user:password", name, n)
		}
		accounts[user] = password
	}
	return accounts, lines.Err()
}
