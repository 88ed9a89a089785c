// The bell of the virtual phone: two little gongs, struck by turns, in the phone's cadence.

const GONGS = [1180, 1475];
const STROKE = 0.045;

export class Bell {
  constructor() {
    this.context = null;
    this.volume = 0.7;
    this.timer = 0;
    this.output = null;
  }

  // `cadence` is seconds on, off, on, off …; empty = silence.
  ring(cadence) {
    this.silence();
    if (cadence.length) this.step(cadence, 0);
  }

  step(cadence, place) {
    const seconds = cadence[place];
    if (place % 2 === 0) this.strike(seconds);
    const next = (place + 1) % cadence.length;
    // One number alone rings without a pause.
    this.timer = setTimeout(() => this.step(cadence, next), Math.max(seconds, 0.05) * 1000);
  }

  strike(seconds) {
    if (this.context?.state !== "running") return;
    const { context } = this;
    this.output = context.createGain();
    this.output.gain.value = 0.35 * this.volume ** 2;
    this.output.connect(context.destination);
    const end = context.currentTime + seconds;
    GONGS.forEach((frequency, number) => this.gong(frequency, number, end));
  }

  gong(frequency, number, end) {
    const { context } = this;
    const tone = context.createOscillator();
    const swell = context.createGain();
    tone.frequency.value = frequency;
    swell.gain.value = 0;
    let at = context.currentTime + number * STROKE;
    for (; at < end; at += 2 * STROKE) {
      swell.gain.setValueAtTime(1, at);
      swell.gain.setTargetAtTime(0.15, at + 0.002, STROKE);
    }
    swell.gain.setTargetAtTime(0, end, 0.12);
    tone.connect(swell).connect(this.output);
    tone.start();
    tone.stop(end + 0.8);
  }

  silence() {
    clearTimeout(this.timer);
    const { output, context } = this;
    if (output) {
      output.gain.setTargetAtTime(0, context.currentTime, 0.02);
      setTimeout(() => output.disconnect(), 200);
    }
    this.output = null;
  }
}
