package control

import "time"

// The states of a door's Contact.
const (
	ContactClosed = "closed"
	ContactOpen   = "open"
	ContactHeld   = "held"   // open for too long
	ContactForced = "forced" // opened without a release
	ContactLost   = "lost"   // nobody can read it
)

// Cover is the switch below the panel's cover.
type Cover struct {
	Open    bool          `json:"open"`
	Since   time.Time     `json:"since,omitzero"`
	Blocked time.Duration `json:"blocked_ns,omitempty"` // for how long from now on no door opens
}

// Exit is a button that opens a door from inside, by the guard alone.
type Exit struct {
	Name    string `json:"name"`
	Door    string `json:"door"`
	Pressed bool   `json:"pressed,omitempty"`
}

// Output is what the panel switches besides doors and lamps.
type Output struct {
	Name  string `json:"name"`
	Role  string `json:"role"`
	On    bool   `json:"on"`
	Error string `json:"error,omitempty"` // why it cannot be switched
}
