// Waveform and spectrogram of a decoded sound on two canvases. Computes nothing but what is drawn.

const WINDOW = 512;
const FLOOR_DB = -90;

/** Draw the envelope: the lowest and the highest sample of each column. */
export function drawWave(canvas, samples, ink) {
  const pen = canvas.getContext("2d");
  const { width, height } = canvas;
  pen.clearRect(0, 0, width, height);
  pen.fillStyle = ink;
  const step = samples.length / width;
  for (let x = 0; x < width; x += 1) {
    let low = 0;
    let high = 0;
    const stop = Math.min(samples.length, Math.ceil((x + 1) * step));
    for (let at = Math.floor(x * step); at < stop; at += 1) {
      if (samples[at] < low) low = samples[at];
      if (samples[at] > high) high = samples[at];
    }
    const top = ((1 - high) / 2) * height;
    pen.fillRect(x, top, 1, Math.max(1, ((high - low) / 2) * height));
  }
}

/** Powers of one windowed frame, in place in `re`; radix 2. */
function transform(re, im) {
  const count = re.length;
  for (let i = 1, j = 0; i < count; i += 1) {
    let bit = count >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j], re[i]];
      [im[i], im[j]] = [im[j], im[i]];
    }
  }
  for (let size = 2; size <= count; size <<= 1) {
    const angle = (-2 * Math.PI) / size;
    const half = size >> 1;
    for (let k = 0; k < half; k += 1) {
      const c = Math.cos(angle * k);
      const s = Math.sin(angle * k);
      for (let start = k; start < count; start += size) {
        const other = start + half;
        const x = re[other] * c - im[other] * s;
        const y = re[other] * s + im[other] * c;
        re[other] = re[start] - x;
        im[other] = im[start] - y;
        re[start] += x;
        im[start] += y;
      }
    }
  }
}

/** Dark to bright; `level` from 0 to 1. */
function colour(level) {
  const v = Math.max(0, Math.min(1, level));
  return [255 * Math.min(1, 1.6 * v ** 1.2), 255 * Math.max(0, 1.5 * v - 0.45), 255 * (0.25 + 0.9 * v * (1 - v) + 0.35 * v * v)];
}

/** Draw the spectrogram: low frequencies below, one column per pixel. */
export function drawSpectrum(canvas, samples) {
  const pen = canvas.getContext("2d");
  const { width, height } = canvas;
  const image = pen.createImageData(width, height);
  const bins = WINDOW / 2;
  const shape = Float64Array.from({ length: WINDOW }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / WINDOW));
  const re = new Float64Array(WINDOW);
  const im = new Float64Array(WINDOW);
  for (let x = 0; x < width; x += 1) {
    const first = Math.round(((x + 0.5) / width) * samples.length) - WINDOW / 2;
    for (let n = 0; n < WINDOW; n += 1) {
      re[n] = (samples[first + n] || 0) * shape[n];
      im[n] = 0;
    }
    transform(re, im);
    for (let y = 0; y < height; y += 1) {
      const bin = Math.floor(((height - 1 - y) / height) * bins);
      const power = (re[bin] * re[bin] + im[bin] * im[bin]) / (bins * bins);
      const db = 10 * Math.log10(power + 1e-12);
      const [r, g, b] = colour((db - FLOOR_DB) / -FLOOR_DB);
      image.data.set([r, g, b, 255], 4 * (y * width + x));
    }
  }
  pen.putImageData(image, 0, 0);
}
