package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An nginx is the configuration server: http://10.0.0.N/panel.yaml.
type nginx struct {
	*process
	host *host
	root string
}

// startNginx serves document as panel.yaml.
func startNginx(h *host, document string) *nginx {
	h.t.Helper()
	dir := scratch(h.t, h.name)
	n := &nginx{host: h, root: filepath.Join(dir, "root")}
	for _, folder := range []string{n.root, filepath.Join(dir, "temp")} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			h.t.Fatal(err)
		}
	}
	n.serve(document)
	n.breakOff(filepath.Join(dir, "upstream.sock"))
	config := write(h.t, dir, "nginx.conf", n.config(dir)...)
	n.process = h.start(h.name, "nginx", "-c", config, "-p", dir, "-e", "stderr")
	n.until("nginx serves", func() error {
		_, err := n.get("")
		return err
	})
	return n
}

func (n *nginx) config(dir string) []string {
	lines := []string{
		"daemon off;", "user root;", "worker_processes 1;", "error_log stderr;",
		"pid " + dir + "/pid;", "events {}", "http {",
		"access_log " + dir + "/access.log;",
	}
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		lines = append(lines, fmt.Sprintf("%s_temp_path %s/temp/%s;", kind, dir, kind))
	}
	return append(lines, fmt.Sprintf(`
  server {
    listen %s:80;
    root %s;
    location = /panel.yaml {
      if (-f $document_root/gone)   { return 404; }
      if (-f $document_root/broken) { return 500; }
      if (-f $document_root/short)  { rewrite ^ /short last; }
      try_files $uri =404;
    }
    location = /short { internal; proxy_buffering off; proxy_pass http://unix:%s/upstream.sock; }
  }
}`, n.host.addr, n.root, dir))
}

// serve puts another document in place, whole at once.
func (n *nginx) serve(document string) {
	n.host.t.Helper()
	aside := write(n.host.t, n.root, "aside", document)
	if err := os.Rename(aside, filepath.Join(n.root, "panel.yaml")); err != nil {
		n.host.t.Fatal(err)
	}
}

// answers makes nginx answer in one of these ways: "good", "gone" (404),
// "broken" (500) or "short" (a body that ends before its Content-Length).
func (n *nginx) answers(how string) {
	n.host.t.Helper()
	for _, way := range []string{"gone", "broken", "short"} {
		path := filepath.Join(n.root, way)
		if way == how {
			write(n.host.t, n.root, way)
		} else if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			n.host.t.Fatal(err)
		}
	}
}

// breakOff is the server behind nginx whose answers end too early.
func (n *nginx) breakOff(path string) {
	n.host.t.Helper()
	listener, err := net.Listen("unix", path)
	if err != nil {
		n.host.t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "4000")
		_, _ = io.WriteString(w, "revision: short\npanel:\n")
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		panic(http.ErrAbortHandler)
	})}
	go func() { _ = server.Serve(listener) }()
	n.host.t.Cleanup(func() { server.Close() })
}

func (n *nginx) url() string { return fmt.Sprintf("http://%s/panel.yaml", n.host.addr) }

// get fetches the document from the host itself, if it is another than etag.
func (n *nginx) get(etag string) (*http.Response, error) {
	request, err := http.NewRequest(http.MethodGet, n.url(), nil)
	if err != nil {
		return nil, err
	}
	if etag != "" {
		request.Header.Set("If-None-Match", etag)
	}
	var response *http.Response
	err = inside(n.host.namespace, func() error {
		conn, err := net.Dial("tcp4", n.host.at(80).String())
		if err != nil {
			return err
		}
		client := http.Client{Transport: &http.Transport{
			Dial:              func(string, string) (net.Conn, error) { return conn, nil },
			DisableKeepAlives: true,
		}}
		response, err = client.Do(request)
		return err
	})
	return response, err
}

// requests counts the answers with a status so far.
func (n *nginx) requests(status int) int {
	n.host.t.Helper()
	text, err := os.ReadFile(filepath.Join(filepath.Dir(n.root), "access.log"))
	if err != nil {
		n.host.t.Fatal(err)
	}
	return strings.Count(string(text), fmt.Sprintf(`HTTP/1.1" %d `, status))
}

func TestNginxAlone(t *testing.T) {
	n := startNginx(newStreet(t).host("config", 6), "revision: one")
	status := func(how, etag string) (int, string, error) {
		t.Helper()
		n.answers(how)
		response, err := n.get(etag)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		_, err = io.ReadAll(response.Body)
		return response.StatusCode, response.Header.Get("ETag"), err
	}
	code, etag, err := status("good", "")
	if code != 200 || etag == "" || err != nil {
		t.Errorf("good: %d, ETag %q, %v", code, etag, err)
	}
	if code, _, _ := status("good", etag); code != 304 {
		t.Errorf("with its ETag: %d, want 304", code)
	}
	if code, _, _ := status("gone", ""); code != 404 {
		t.Errorf("gone: %d, want 404", code)
	}
	if code, _, _ := status("broken", ""); code != 500 {
		t.Errorf("broken: %d, want 500", code)
	}
	if code, _, err := status("short", ""); code != 200 || err == nil {
		t.Errorf("short: %d, %v, want 200 and a body that ends early", code, err)
	}
}
