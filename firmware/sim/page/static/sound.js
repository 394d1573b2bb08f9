// Sound of the browser: what is heard, and what its microphone gives. All sound
// on the wire is signed 16 bit, little endian, 8000 Hz, mono.

let context = null;
let ready = null;

async function make() {
  const made = new AudioContext({sampleRate: 8000, latencyHint: 'interactive'});
  await made.audioWorklet.addModule('player.js');
  context = made;
}

// wake makes the sound system, which a browser allows only after a gesture.
export async function wake() {
  ready ??= make();
  await ready;
  if (context.state !== 'running') await context.resume();
}

// Ear plays one stream of frames.
export class Ear {
  constructor() {
    this.on = true;
    this.node = null;
    this.heard = 0; // frames with something to hear in them
  }

  hear(data) {
    if (!this.on || !context || context.state !== 'running') return;
    if (!this.node) {
      this.node = new AudioWorkletNode(context, 'player', {outputChannelCount: [1]});
      this.node.connect(context.destination);
    }
    const pcm = new Int16Array(data);
    const samples = new Float32Array(pcm.length);
    let peak = 0;
    for (let i = 0; i < pcm.length; i++) {
      samples[i] = pcm[i] / 32768;
      peak = Math.max(peak, Math.abs(samples[i]));
    }
    if (peak > 0.01) this.heard++;
    this.node.port.postMessage(samples, [samples.buffer]);
  }
}

// Mouth is the browser's microphone, lent to one role at a time.
export class Mouth {
  constructor() {
    this.send = null;
    this.stream = null;
  }

  // lend gives the microphone to whoever takes frames (ArrayBuffer), or to
  // nobody (null). It throws when the browser refuses.
  async lend(send) {
    this.send = send;
    if (!send) {
      this.stop();
      return;
    }
    if (this.stream) return;
    this.stream = await navigator.mediaDevices.getUserMedia({audio: {echoCancellation: true, noiseSuppression: true, channelCount: 1}});
    this.context = new AudioContext();
    await this.context.audioWorklet.addModule('recorder.js');
    const node = new AudioWorkletNode(this.context, 'recorder', {numberOfOutputs: 0});
    node.port.onmessage = (e) => { if (this.send) this.send(e.data); };
    this.context.createMediaStreamSource(this.stream).connect(node);
  }

  stop() {
    if (!this.stream) return;
    for (const track of this.stream.getTracks()) track.stop();
    this.stream = null;
    this.context.close();
  }
}
