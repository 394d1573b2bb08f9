// Plays frames in their order: begins when a little has come, and drops the
// oldest when the sender is ahead.

const START = 640; // samples before it begins: 80 ms
const MOST = 2400; // samples that wait at most: 300 ms

class Player extends AudioWorkletProcessor {
  constructor() {
    super();
    this.waiting = [];
    this.have = 0;
    this.at = 0;
    this.playing = false;
    this.port.onmessage = (e) => {
      this.waiting.push(e.data);
      this.have += e.data.length;
      while (this.have > MOST) this.drop();
      if (this.have >= START) this.playing = true;
    };
  }

  drop() {
    this.have -= this.waiting[0].length - this.at;
    this.waiting.shift();
    this.at = 0;
  }

  process(_, outputs) {
    const out = outputs[0][0];
    for (let i = 0; i < out.length; i++) {
      if (!this.playing || !this.waiting.length) {
        this.playing = false;
        out[i] = 0;
        continue;
      }
      out[i] = this.waiting[0][this.at++];
      this.have--;
      if (this.at === this.waiting[0].length) {
        this.waiting.shift();
        this.at = 0;
      }
    }
    return true;
  }
}

registerProcessor('player', Player);
