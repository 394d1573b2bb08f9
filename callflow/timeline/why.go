package timeline

// Why answers in one sentence why the door opened, or why it did not.
func Why(rec Record) string { return "" }
