// The page's ear and mouth: one audio context, one WebSocket of 20 ms frames, one microphone.
//
// Everything begins in a click or key press (`wake`, `openMicrophone`), because a browser gives
// neither sound nor microphone to a page that nobody has touched. The microphone is open only while
// the phone is off the hook.

const TAKEN = 4001;

export class Sound {
  constructor(changed) {
    this.changed = changed;
    this.microphone = "closed";
    this.speaker = "off";
    this.problem = "";
    // It would take a returning tone for echo: only who hears himself through loudspeakers wants it.
    this.cancelEcho = false;
    this.context = null;
    this.analyser = null;
    this.microphoneAnalyser = null;
    this.socket = null;
    this.stream = null;
    this.wanted = false;
  }

  // Call in a gesture: make the context, or wake the one that sleeps, and attach to the phone.
  async wake() {
    this.wanted = true;
    if (!this.context) {
      this.context = new AudioContext({ latencyHint: "interactive" });
      this.ready = this.context.audioWorklet.addModule("/static/worklet.js").then(() => {
        this.build();
      });
      this.context.onstatechange = () => this.ear?.port.postMessage("flush");
    }
    if (this.context.state !== "running") this.context.resume().catch(() => {});
    await this.ready;
    this.attach();
  }

  build() {
    this.ear = new AudioWorkletNode(this.context, "earpiece", {
      numberOfInputs: 0,
      outputChannelCount: [1],
    });
    this.analyser = this.context.createAnalyser();
    this.analyser.fftSize = 4096;
    this.analyser.smoothingTimeConstant = 0;
    this.ear.connect(this.analyser).connect(this.context.destination);
  }

  attach() {
    if (!this.wanted || (this.socket && this.socket.readyState <= WebSocket.OPEN)) return;
    const socket = new WebSocket(`ws://${location.host}/sound`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.ear.port.postMessage("flush");
      this.tell("speaker", "on");
    };
    socket.onmessage = ({ data }) => this.ear.port.postMessage(data, [data]);
    socket.onclose = ({ code }) => this.detached(code);
    this.socket = socket;
  }

  detached(code) {
    this.ear.port.postMessage("flush");
    if (code === TAKEN) {
      // Another page has the sound now: leave it there until somebody touches this one.
      this.wanted = false;
      this.closeMicrophone();
      this.tell("speaker", "taken");
      return;
    }
    this.tell("speaker", "gone");
    setTimeout(() => this.attach(), 1000);
  }

  async openMicrophone() {
    if (this.stream || this.microphone === "asking") return;
    if (!navigator.mediaDevices) {
      this.refuse("insecure");
      return;
    }
    this.tell("microphone", "asking");
    this.cancelled = false;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: {
          channelCount: 1,
          echoCancellation: this.cancelEcho,
          // These take a tone or music for noise.
          noiseSuppression: false,
          autoGainControl: false,
        },
      });
      await this.wake();
      if (this.cancelled) stream.getTracks().forEach((track) => track.stop());
      else this.connectMicrophone(stream);
    } catch (error) {
      const kinds = { NotAllowedError: "refused", NotFoundError: "missing" };
      this.refuse(kinds[error.name] ?? "busy");
    }
  }

  connectMicrophone(stream) {
    this.stream = stream;
    this.source = this.context.createMediaStreamSource(stream);
    this.mouth = new AudioWorkletNode(this.context, "microphone", { numberOfOutputs: 0 });
    this.mouth.port.onmessage = ({ data }) => this.send(data);
    this.microphoneAnalyser = this.context.createAnalyser();
    this.source.connect(this.microphoneAnalyser);
    this.source.connect(this.mouth);
    stream.getTracks()[0].onended = () => this.refuse("busy");
    this.problem = "";
    this.tell("microphone", "open");
  }

  send(frame) {
    // What cannot leave at once is late: three frames may wait, then frames are dropped.
    const { socket } = this;
    if (socket?.readyState === WebSocket.OPEN && socket.bufferedAmount < 3 * 1920) {
      socket.send(frame);
    }
  }

  refuse(problem) {
    this.closeMicrophone();
    this.problem = problem;
    this.tell("microphone", "refused");
  }

  closeMicrophone() {
    this.cancelled = true;
    this.stream?.getTracks().forEach((track) => track.stop());
    this.source?.disconnect();
    if (this.mouth) this.mouth.port.onmessage = null;
    this.stream = this.source = this.mouth = this.microphoneAnalyser = null;
    this.problem = "";
    if (this.microphone !== "closed") this.tell("microphone", "closed");
  }

  tell(what, state) {
    this[what] = state;
    this.changed();
  }
}

// How loud an analyser's node is now, 0 to 1 over 60 dB.
export function loudness(analyser) {
  if (!analyser) return 0;
  const samples = new Float32Array(analyser.fftSize);
  analyser.getFloatTimeDomainData(samples);
  let power = 0;
  for (const sample of samples) power += sample * sample;
  const level = 10 * Math.log10(power / samples.length + 1e-9);
  return Math.max(0, Math.min(1, 1 + level / 60));
}
