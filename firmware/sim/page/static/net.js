// Connections to our own server, and messages to people.

const problem = document.getElementById('problem');
let hideLater = 0;

// tell shows a problem for some seconds.
export function tell(text) {
  problem.textContent = text;
  problem.hidden = false;
  clearTimeout(hideLater);
  hideLater = setTimeout(() => { problem.hidden = true; }, 6000);
}

// ask gets JSON, or posts it. A refusal is thrown with the server's words.
export async function ask(path, body) {
  const init = body === undefined ? {} : {
    method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body),
  };
  const reply = await fetch(path, init);
  const value = await reply.json().catch(() => ({}));
  if (!reply.ok) throw new Error(value.error || `${path}: ${reply.status}`);
  return value;
}

// wish posts something a person asked for, and tells why if it is refused.
export async function wish(path, body = {}) {
  try {
    return await ask(path, body);
  } catch (e) {
    tell(e.message);
    return null;
  }
}

// Stream is a WebSocket that comes back by itself.
export class Stream {
  constructor(path, {message, open, close}) {
    this.path = path;
    this.message = message;
    this.opened = open || (() => {});
    this.closed = close || (() => {});
    this.connect();
  }

  connect() {
    const url = new URL(this.path, location.href);
    url.protocol = 'ws:';
    this.socket = new WebSocket(url);
    this.socket.binaryType = 'arraybuffer';
    this.socket.onopen = () => this.opened();
    this.socket.onmessage = (e) => this.message(e.data);
    this.socket.onclose = () => {
      if (this.stopped) return;
      this.closed();
      setTimeout(() => { if (!this.stopped) this.connect(); }, 500);
    };
  }

  // again makes a new connection.
  again() { this.socket.close(); }

  // stop ends the connection for good.
  stop() {
    this.stopped = true;
    this.socket.onmessage = null;
    this.socket.close();
  }

  // send drops what cannot leave at once: old sound is worth nothing.
  send(data) {
    if (this.socket.readyState === WebSocket.OPEN && this.socket.bufferedAmount < 16000) this.socket.send(data);
  }
}
