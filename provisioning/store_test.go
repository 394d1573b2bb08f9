package provisioning

import (
	"bytes"
	"testing"
)

// keptAgain checks that a document survives being kept.
func keptAgain(t *testing.T, doc *Document) *Document {
	t.Helper()
	data, err := encodeKept(&kept{Document: doc})
	if err != nil {
		t.Fatal(err)
	}
	k, err := decodeKept(data, "kept", board())
	if err != nil {
		t.Fatalf("%v in\n%s", err, data)
	}
	again, err := encodeKept(k)
	if err != nil || !bytes.Equal(data, again) {
		t.Fatalf("%v: kept\n%s\ncame back as\n%s", err, data, again)
	}
	return k.Document
}
