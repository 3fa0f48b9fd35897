// The microphone: level while it runs, a recording as one blob. It is opened for each recording and closed after it,
// so that the browser's sign for a running microphone is on only then.
const KINDS = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4;codecs=mp4a.40.2", "audio/mp4", "audio/webm"];
const PLAIN = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1 };

export class Recorder {
  constructor(onLevel, longestS) {
    this.onLevel = onLevel;
    this.longestS = longestS;
  }

  static problem() {
    if (!window.isSecureContext) return "speak_no_secure";
    if (!navigator.mediaDevices || typeof MediaRecorder === "undefined") return "speak_no_recorder";
    return "";
  }

  get isRunning() {
    return Boolean(this.recorder) && this.recorder.state === "recording";
  }

  async start() {
    this.stream = await navigator.mediaDevices.getUserMedia({ audio: PLAIN });
    this.context = new AudioContext();
    if (this.context.state === "suspended") await this.context.resume();
    this.analyser = this.context.createAnalyser();
    this.analyser.fftSize = 1024;
    this.context.createMediaStreamSource(this.stream).connect(this.analyser);
    const kind = KINDS.find((one) => MediaRecorder.isTypeSupported(one));
    this.recorder = new MediaRecorder(this.stream, { ...(kind ? { mimeType: kind } : {}), audioBitsPerSecond: 96000 });
    this.pieces = [];
    this.recorder.ondataavailable = (event) => event.data.size && this.pieces.push(event.data);
    this.ended = new Promise((resolve) => (this.recorder.onstop = resolve));
    this.recorder.start();
    this.limit = setTimeout(() => this.onLimit && this.onLimit(), (this.longestS - 0.5) * 1000);
    this.watch();
  }

  watch() {
    const wave = new Float32Array(this.analyser.fftSize);
    const look = () => {
      if (!this.isRunning) return;
      this.analyser.getFloatTimeDomainData(wave);
      let power = 0;
      let peak = 0;
      for (const value of wave) {
        power += value * value;
        peak = Math.max(peak, Math.abs(value));
      }
      const decibels = 10 * Math.log10(power / wave.length + 1e-9);
      this.onLevel(Math.max(0, Math.min(100, ((decibels + 60) / 60) * 100)), peak > 0.985);
      requestAnimationFrame(look);
    };
    look();
  }

  async stop() {
    clearTimeout(this.limit);
    if (this.isRunning) this.recorder.stop();
    await this.ended;
    this.stream.getTracks().forEach((track) => track.stop());
    await this.context.close();
    this.onLevel(0, false);
    return new Blob(this.pieces, { type: this.recorder.mimeType });
  }
}
