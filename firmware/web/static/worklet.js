// The two ends of the sound: from the microphone to frames for the phone, and from frames to the ear.
//
// A frame is 20 ms of 16-bit mono at 48 kHz. The computer's own rate is `sampleRate`; the
// conversion is a windowed sinc. Neither end keeps more than a few frames.

const WIRE_RATE = 48000;
const FRAME = 960;
const PREFILL = 0.06; // Seconds gathered before anything is played.
const MOST = 0.2; // Above this the past is thrown away.
const CALM = [0.035, 0.1]; // Within this the pitch is exact, outside the clocks are drawn together.
const NUDGE = 0.003;
const PHASES = 512;
const ZEROS = 10; // Zero crossings of the sinc on each side.

class Resampler {
  constructor(from, to) {
    this.step = from / to;
    // Below the lower of the two half rates, with a little room for the filter's slope.
    const cutoff = Math.min(1, to / from) * 0.94;
    this.half = Math.ceil(ZEROS / cutoff);
    this.kernel = new Float32Array(2 * this.half * PHASES + 1);
    for (let at = 0; at < this.kernel.length; at += 1) {
      const x = at / PHASES - this.half;
      const sinc = x === 0 ? 1 : Math.sin(Math.PI * cutoff * x) / (Math.PI * cutoff * x);
      const window = 0.5 + 0.5 * Math.cos((Math.PI * x) / this.half);
      this.kernel[at] = cutoff * sinc * window;
    }
    this.ring = new Float32Array(1 << 14);
    this.mask = this.ring.length - 1;
    this.clear();
  }

  clear() {
    this.ring.fill(0);
    this.written = this.half;
    this.position = this.half;
  }

  // Samples at the input rate that wait.
  get waiting() {
    return this.written - this.position;
  }

  drop(samples) {
    this.position += samples;
  }

  put(sample) {
    this.ring[this.written & this.mask] = sample;
    this.written += 1;
  }

  get isReady() {
    return this.position + this.half < this.written;
  }

  take(stretch = 1) {
    const whole = Math.floor(this.position);
    const part = this.position - whole;
    let sum = 0;
    for (let tap = 1 - this.half; tap <= this.half; tap += 1) {
      const at = Math.round((tap - part + this.half) * PHASES);
      sum += this.ring[(whole + tap) & this.mask] * this.kernel[at];
    }
    this.position += this.step * stretch;
    return sum;
  }
}

class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(sampleRate, WIRE_RATE);
    this.frame = new Int16Array(FRAME);
    this.filled = 0;
  }

  process([input]) {
    const channel = input[0];
    if (!channel) return true;
    for (const sample of channel) this.resampler.put(sample);
    while (this.resampler.isReady) {
      const sample = Math.max(-1, Math.min(1, this.resampler.take()));
      this.frame[this.filled] = Math.round(sample * 32767);
      this.filled += 1;
      if (this.filled === FRAME) {
        const { buffer } = this.frame;
        this.port.postMessage(buffer, [buffer]);
        this.frame = new Int16Array(FRAME);
        this.filled = 0;
      }
    }
    return true;
  }
}

class Earpiece extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(WIRE_RATE, sampleRate);
    this.isPlaying = false;
    this.average = PREFILL;
    this.port.onmessage = ({ data }) => {
      if (data === "flush") this.flush();
      else this.receive(new Int16Array(data));
    };
  }

  flush() {
    this.resampler.clear();
    this.isPlaying = false;
    this.average = PREFILL;
  }

  receive(samples) {
    for (const sample of samples) this.resampler.put(sample / 32768);
    const waiting = this.resampler.waiting / WIRE_RATE;
    if (waiting > MOST) {
      this.resampler.drop(Math.round((waiting - PREFILL) * WIRE_RATE));
      this.average = PREFILL;
    }
  }

  process(_inputs, [output]) {
    const channel = output[0];
    const waiting = this.resampler.waiting / WIRE_RATE;
    if (!this.isPlaying && waiting >= PREFILL) {
      this.isPlaying = true;
      this.average = waiting;
    }
    if (!this.isPlaying) return true;
    this.average += (waiting - this.average) * 0.002;
    let stretch = 1;
    if (this.average < CALM[0]) stretch = 1 - NUDGE;
    if (this.average > CALM[1]) stretch = 1 + NUDGE;
    for (let at = 0; at < channel.length; at += 1) {
      if (!this.resampler.isReady) {
        // Nothing is left: be silent and gather anew.
        this.isPlaying = false;
        break;
      }
      channel[at] = this.resampler.take(stretch);
    }
    return true;
  }
}

registerProcessor("microphone", Microphone);
registerProcessor("earpiece", Earpiece);
