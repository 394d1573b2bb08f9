package loopback

import (
	"context"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

// writeTime bounds one message to a listener; one that takes nothing loses its
// connection.
const writeTime = 5 * time.Second

// maxMessage bounds what a listener may send, in bytes: a second of sound.
const maxMessage = 2 * 8000

// Stream opens a WebSocket, gives what comes in to take (nil: drops it), and
// runs send until either side ends. Whoever asks was checked before (Guard).
func Stream(w http.ResponseWriter, r *http.Request, take func([]byte), send func(context.Context, *websocket.Conn) error) {
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // Accept has answered
	}
	defer c.CloseNow()
	c.SetReadLimit(maxMessage)
	ctx, stop := context.WithCancel(r.Context())
	defer stop()
	go func() {
		defer stop()
		for {
			_, b, err := c.Read(ctx)
			if err != nil {
				return
			}
			if take != nil {
				take(b)
			}
		}
	}()
	_ = send(ctx, c) // it ends with the connection
}

// Sound streams frames of sound to a listener, and gives what he says to take.
func Sound(w http.ResponseWriter, r *http.Request, frames <-chan []int16, take func([]byte)) {
	Stream(w, r, take, func(ctx context.Context, c *websocket.Conn) error {
		for {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case pcm := <-frames:
				if err := Write(ctx, c, websocket.MessageBinary, PCM(pcm)); err != nil {
					return err
				}
			}
		}
	})
}

// Write sends one message, and gives up on a listener that takes nothing.
func Write(ctx context.Context, c *websocket.Conn, kind websocket.MessageType, b []byte) error {
	ctx, stop := context.WithTimeout(ctx, writeTime)
	defer stop()
	return c.Write(ctx, kind, b)
}
