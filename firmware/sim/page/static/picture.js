// The flat's picture: access units, as the phone took them from RTP, decoded by
// the browser (WebCodecs) and drawn on a canvas.

const STALE_AFTER = 1200; // ms without a picture

// codec names a stream by its sequence parameter set (RFC 6381 section 3.3).
function codec(unit) {
  for (let i = 0; i + 6 < unit.length; i++) {
    if (unit[i] === 0 && unit[i + 1] === 0 && unit[i + 2] === 1 && (unit[i + 3] & 0x1f) === 7) {
      const hex = [unit[i + 4], unit[i + 5], unit[i + 6]].map((b) => b.toString(16).padStart(2, '0'));
      return 'avc1.' + hex.join('');
    }
  }
  return null;
}

export class Picture {
  // lost is called when the decoder gave up and needs a key frame.
  constructor(canvas, lost) {
    this.lost = lost;
    this.canvas = canvas;
    this.context = canvas.getContext('2d');
    this.decoder = null;
    this.drawn = 0;
    this.times = [];
    this.clear();
  }

  // clear forgets the stream and darkens the canvas.
  clear() {
    this.reset();
    this.drawn = 0;
    this.times = [];
    this.context.fillStyle = '#0b0f13';
    this.context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    this.canvas.dataset.frames = '0';
  }

  reset() {
    if (this.decoder && this.decoder.state !== 'closed') this.decoder.close();
    this.decoder = null;
  }

  // take is one message of the phone: a flag, three bytes, the RTP timestamp,
  // the access unit.
  take(data) {
    const view = new DataView(data);
    const key = view.getUint8(0) === 1;
    const unit = new Uint8Array(data, 8);
    if (!('VideoDecoder' in window)) {
      this.failed = 'this browser has no WebCodecs';
      return;
    }
    if (!this.decoder) {
      const name = key && codec(unit);
      if (!name) return; // a stream is entered at a key frame
      this.begin(name);
    }
    const timestamp = Math.round(view.getUint32(4) / 90 * 1000);
    try {
      this.decoder.decode(new EncodedVideoChunk({type: key ? 'key' : 'delta', timestamp, data: unit}));
    } catch {
      this.reset();
      this.lost();
    }
  }

  begin(name) {
    const decoder = new VideoDecoder({
      output: (frame) => this.draw(frame),
      error: () => {
        if (this.decoder !== decoder) return;
        this.decoder = null;
        this.lost();
      },
    });
    decoder.configure({codec: name, optimizeForLatency: true});
    this.decoder = decoder;
  }

  draw(frame) {
    if (this.canvas.width !== frame.displayWidth || this.canvas.height !== frame.displayHeight) {
      this.canvas.width = frame.displayWidth;
      this.canvas.height = frame.displayHeight;
    }
    this.context.drawImage(frame, 0, 0);
    frame.close();
    this.drawn++;
    this.canvas.dataset.frames = String(this.drawn);
    const now = performance.now();
    this.times.push(now);
    while (this.times.length && now - this.times[0] > 2000) this.times.shift();
  }

  // rate is the number of pictures a second, over the last two seconds.
  rate() {
    const n = this.times.length;
    return n > 1 ? (n - 1) * 1000 / (this.times[n - 1] - this.times[0]) : 0;
  }

  // stale says that pictures came and come no more.
  stale() {
    return this.drawn > 0 && performance.now() - this.times.at(-1) > STALE_AFTER;
  }
}
