// Cuts the microphone into frames of 20 ms at 8000 Hz: each sample is the mean
// of those that fall into its time.

const FRAME = 160;

class Recorder extends AudioWorkletProcessor {
  constructor() {
    super();
    this.frame = new Int16Array(FRAME);
    this.filled = 0;
    this.sum = 0;
    this.count = 0;
    this.phase = 0;
  }

  process(inputs) {
    const input = inputs[0][0];
    if (!input) return true;
    const step = 8000 / sampleRate;
    for (const s of input) {
      this.sum += s;
      this.count++;
      this.phase += step;
      if (this.phase < 1) continue;
      this.phase -= 1;
      this.put(this.sum / this.count);
      this.sum = 0;
      this.count = 0;
    }
    return true;
  }

  put(s) {
    this.frame[this.filled++] = Math.max(-1, Math.min(1, s)) * 32767;
    if (this.filled < FRAME) return;
    this.port.postMessage(this.frame.buffer.slice(0));
    this.filled = 0;
  }
}

registerProcessor('recorder', Recorder);
