"""Text to speech for the demo: espeak-ng speaks, sox makes the noise, numpy mixes.

What it does: one espeak-ng process per utterance, 22,050 Hz resampled to 16 kHz, a level per utterance, and
a noise bed mixed in at a drawn signal-to-noise ratio. Everything random comes from the utterance's own
seed, so the result does not depend on the order or the number of processes.

What it does not do: it writes no archive (demo/layouts does) and it chooses no text and no speaker.
"""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from demo.voices import Voice
from native.errors import SpeechmillError
from store.writing import temporary_beside

FloatSamples = npt.NDArray[np.float32]
Samples = npt.NDArray[np.int16]

RATE_HZ = 16_000
_ESPEAK_RATE_HZ = 22_050
_WAV_HEADER_BYTES = 44  # espeak-ng --stdout writes an unknown length: samples are whatever follows the header
_BED_S = 30.0
# name -> sox effects; "-R" makes sox's noise the same on every run
NOISE_BEDS: dict[str, tuple[str, ...]] = {
    "room": ("synth", str(_BED_S), "brownnoise", "gain", "-6"),
    "rain": ("synth", str(_BED_S), "pinknoise", "highpass", "200", "gain", "-6"),
    "waves": ("synth", str(_BED_S), "pinknoise", "tremolo", "0.3", "70", "gain", "-6"),
    "street": ("synth", str(_BED_S), "pinknoise", "lowpass", "900", "tremolo", "1.7", "40", "gain", "-6"),
}


class SpeechError(SpeechmillError):
    """espeak-ng or sox failed; the message holds what it said."""


@dataclass(frozen=True)
class Line:
    """What to say: text, speaker, range of the signal-to-noise ratio in dB, seed of everything drawn."""

    text: str
    voice: Voice
    snr_db: tuple[float, float]
    seed: str


def make_noise_beds(folder: Path) -> dict[str, Path]:
    """Write the noise beds (30 s, 16 kHz, mono) with sox into `folder`; existing ones are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    beds = {name: folder / f"{name}.wav" for name in NOISE_BEDS}
    for name, path in beds.items():
        if not path.is_file():
            part = temporary_beside(path)
            form = ["-t", "wav", "-r", str(RATE_HZ), "-b", "16", "-c", "1"]
            _run(["sox", "-R", "-n", *form, str(part), *NOISE_BEDS[name]])
            part.rename(path)
    return beds


def load_noise_beds(beds: dict[str, Path]) -> dict[str, FloatSamples]:
    """The beds as float32 arrays of unit power."""
    loaded = {}
    for name, path in sorted(beds.items()):
        samples = soundfile.read(path, dtype="float32")[0]
        loaded[name] = samples / float(np.sqrt(np.mean(samples**2)))
    return loaded


def speak(line: Line, beds: dict[str, FloatSamples]) -> Samples:
    """One utterance, int16 [samples] at 16 kHz, with noise."""
    rng = random.Random(line.seed)
    voice = line.voice
    speed = voice.speed_wpm + rng.randint(-10, 10)
    pitch = max(5, min(95, voice.pitch + rng.randint(-4, 4)))
    command = [
        "espeak-ng",
        "-v",
        voice.espeak_name,
        "-s",
        str(speed),
        "-p",
        str(pitch),
        "--stdout",
        line.text,
    ]
    pcm = np.frombuffer(_run(command)[_WAV_HEADER_BYTES:], dtype="<i2").astype(np.float32)
    clean = soxr.resample(pcm, _ESPEAK_RATE_HZ, RATE_HZ)
    return _mix(clean, beds, line.snr_db, rng)


def _mix(
    clean: FloatSamples, beds: dict[str, FloatSamples], snr_db: tuple[float, float], rng: random.Random
) -> Samples:
    bed = beds[rng.choice(sorted(beds))]
    start = rng.randrange(len(bed))
    noise = np.take(bed, np.arange(start, start + len(clean)), mode="wrap")
    power = float(np.sqrt(np.mean(clean**2)))
    mixed = clean + noise * power * 10 ** (-rng.uniform(*snr_db) / 20)
    level = rng.uniform(0.25, 0.7) * 32767 / max(1.0, float(np.max(np.abs(mixed))))
    return np.round(mixed * level).astype(np.int16)


def _run(command: list[str]) -> bytes:
    try:
        # espeak-ng's sound library would make a folder in the home even where nothing is played.
        environment = {**os.environ, "XDG_CONFIG_HOME": tempfile.gettempdir()}
        done = subprocess.run(command, capture_output=True, check=False, env=environment)
    except FileNotFoundError as error:
        raise SpeechError(f"{command[0]} is not installed: `make demo` installs it (apt-get)") from error
    if done.returncode != 0:
        raise SpeechError(
            f"{command[0]} failed ({done.returncode}): {done.stderr.decode(errors='replace').strip()}"
        )
    return done.stdout
