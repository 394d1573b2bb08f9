package guard

import "time"

// An Event is something that happened, for Step.
type Event interface{ event() }

type (
	// Started comes once, before all others.
	Started struct{}
	// Tick says that the deadline may have passed.
	Tick struct{}
	// Connected is a new connection; Denied says why it may not be a client.
	Connected struct {
		Client  ClientID
		Process ProcessID
		Denied  string
	}
	// Received is a message of a client.
	Received struct {
		Client ClientID
		Raw    []byte
	}
	// Left is the end of a connection.
	Left struct{ Client ClientID }
	// Exited is the end of a process that had connected.
	Exited struct{ Process ProcessID }
	// Moved is the level of an input.
	Moved struct {
		Input  int // index
		Active bool
		First  bool          // it was found so; nothing says that it has changed
		At     time.Duration // CLOCK_MONOTONIC
	}
	// Armed says that the board's watchdog runs, and after which time without
	// food it bites.
	Armed struct{ Timeout time.Duration }
)

func (Started) event()   {}
func (Tick) event()      {}
func (Connected) event() {}
func (Received) event()  {}
func (Left) event()      {}
func (Exited) event()    {}
func (Moved) event()     {}
func (Armed) event()     {}

// An Action is something to be done, in the order of the list.
type Action interface{ action() }

type (
	// Drive sets a relay. Changed is false where it had this level before.
	// Tell is the client that hears about the edge, or 0.
	Drive struct {
		Relay   int // index
		Active  bool
		Changed bool
		For     time.Duration // active: until the end as it is known now
		Seq     uint32
		Cause   string
		Tell    ClientID
	}
	// Extend moves the end of a relay that is active, where the line knows it.
	Extend struct {
		Relay int
		For   time.Duration // from now on
	}
	// Reply sends a message to a client.
	Reply struct {
		Client ClientID
		Raw    []byte
	}
	// Drop ends a connection.
	Drop struct {
		Client ClientID
		Why    string
	}
	// Signal tells a process to write down what it does and to end; Kill ends it.
	Signal struct {
		Process ProcessID
		Kill    bool
		Why     string
	}
	// Feed feeds the board's watchdog.
	Feed struct{}
	// Keep hands out what has to survive a restart.
	Keep struct{ State State }
	// Note is a line for the log.
	Note struct{ Text string }
)

func (Drive) action()  {}
func (Extend) action() {}
func (Reply) action()  {}
func (Drop) action()   {}
func (Signal) action() {}
func (Feed) action()   {}
func (Keep) action()   {}
func (Note) action()   {}
