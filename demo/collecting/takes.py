"""What an invented volunteer's microphone hears: good takes, and bad ones of twelve kinds.

Everything random comes from the take's own seed. This module encodes nothing and knows no service.
"""

from __future__ import annotations

import random
import subprocess
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import soxr

from demo.speech import RATE_HZ, Line, SpeechError, speak
from demo.voices import Voice

Samples = npt.NDArray[np.int16]
FloatSamples = npt.NDArray[np.float32]

BAD_KINDS = (
    "silence",
    "noise",
    "clipped",
    "cut",
    "other_sentence",
    "other_language",
    "copy",
    "music",
    "two_voices",
    "too_fast",
    "empty",
    "narrow",
)
_FOREIGN = {"de": "Heute scheint die Sonne, und wir gehen zusammen an den kleinen See hinter dem Wald."}
_ROOM_DBFS = -62.0


@dataclass(frozen=True)
class Wanted:
    """What to speak: the sentence, who speaks, the kind ("good" or one of `BAD_KINDS`), the seed.

    Attributes:
        other: another sentence, and another voice: for the kinds that need one.
        earlier: somebody's clip, for `copy`.
    """

    text: str
    voice: Voice
    kind: str
    seed: str
    other_text: str = ""
    other_voice: Voice | None = None
    earlier: Samples | None = None


def take(wanted: Wanted, beds: dict[str, FloatSamples]) -> Samples:
    """The take as int16 `[n]` at 16 kHz, with the room before and behind it."""
    rng = random.Random(wanted.seed)
    spoken = _spoken(wanted, beds, rng)
    if wanted.kind == "silence":
        return np.zeros(int(rng.uniform(2.5, 5.0) * RATE_HZ), np.int16)
    if wanted.kind == "empty":
        return _in_room(np.zeros(0, np.float32), rng, 0.1, 0.15)
    if wanted.kind == "cut":
        whole = _in_room(_scaled(spoken), rng)
        speech_from = int(rng.uniform(0.35, 0.55) * len(whole))
        loud = np.flatnonzero(np.abs(whole[:speech_from].astype(np.int32)) > 4000)
        return whole[: int(loud[-1]) + 1]
    room_s = (rng.uniform(0.3, 0.8), rng.uniform(0.3, 0.8))
    return _in_room(_scaled(spoken), rng, *room_s)


def _spoken(wanted: Wanted, beds: dict[str, FloatSamples], rng: random.Random) -> FloatSamples:
    """The sound without the room, float32 within −1 to 1 (clipped: beyond)."""
    kind, voice = wanted.kind, wanted.voice
    if kind in ("silence", "empty"):
        return np.zeros(1, np.float32)
    if kind == "noise":
        bed = np.take(beds["room"], np.arange(4 * RATE_HZ), mode="wrap")
        return (0.05 * bed).astype(np.float32)
    if kind == "music":
        return music(rng)
    if kind == "copy" and wanted.earlier is not None:
        return (wanted.earlier / 32768).astype(np.float32)
    if kind == "other_language":
        text = _FOREIGN["de"]
        return _espeak(
            text, ["-v", f"de+{voice.variant}", "-s", str(voice.speed_wpm), "-p", str(voice.pitch)]
        )
    text = wanted.other_text if kind == "other_sentence" else wanted.text
    if kind == "too_fast":
        voice = replace(voice, speed_wpm=430)
    sound = speak(Line(text, voice, (22.0, 38.0), wanted.seed), beds).astype(np.float32) / 32768
    if kind == "two_voices" and wanted.other_voice is not None:
        second = speak(Line(wanted.other_text, wanted.other_voice, (22.0, 38.0), wanted.seed), beds)
        both = np.zeros(max(len(sound), len(second)), np.float32)
        both[: len(sound)] += sound
        both[: len(second)] += second.astype(np.float32) / 32768
        return (both / 2).astype(np.float32)
    if kind == "clipped":
        return np.clip(sound * (6.0 / max(1e-3, float(np.abs(sound).max()))), -1.0, 1.0).astype(np.float32)
    if kind == "narrow":
        sound = np.asarray(soxr.resample(soxr.resample(sound, RATE_HZ, 8000), 8000, RATE_HZ))
    return sound.astype(np.float32)


def _espeak(text: str, options: list[str]) -> FloatSamples:
    done = subprocess.run(["espeak-ng", *options, "--stdout", text], capture_output=True, check=False)
    if done.returncode != 0:
        raise SpeechError(f"espeak-ng failed: {done.stderr.decode(errors='replace').strip()}")
    pcm = np.frombuffer(done.stdout[44:], dtype="<i2").astype(np.float32) / 32768
    return np.asarray(soxr.resample(pcm, 22_050, RATE_HZ), dtype=np.float32)


def music(rng: random.Random) -> FloatSamples:
    """Four seconds of plucked chords."""
    rate, out = RATE_HZ, np.zeros(4 * RATE_HZ, np.float32)
    for beat in range(8):
        root = 220.0 * 2 ** (rng.choice([0, 3, 5, 7, 10]) / 12)
        time_s = np.arange(rate // 2) / rate
        for step in (0, 4, 7):
            tone = np.sin(2 * np.pi * root * 2 ** (step / 12) * time_s) * np.exp(-4 * time_s)
            tone += 0.4 * np.sin(4 * np.pi * root * 2 ** (step / 12) * time_s) * np.exp(-6 * time_s)
            out[beat * rate // 2 : (beat + 1) * rate // 2] += 0.15 * tone.astype(np.float32)
    return out


def _scaled(sound: FloatSamples) -> FloatSamples:
    return sound.astype(np.float32)


def _in_room(sound: FloatSamples, rng: random.Random, before_s: float = 0.4, after_s: float = 0.4) -> Samples:
    """The sound with quiet room noise before, under and behind it."""
    noise = np.random.default_rng(rng.randrange(1 << 30))
    lead = np.zeros(int(before_s * RATE_HZ), np.float32)
    tail = np.zeros(int(after_s * RATE_HZ), np.float32)
    whole = np.concatenate([lead, sound, tail])
    whole += noise.standard_normal(len(whole)).astype(np.float32) * np.float32(10 ** (_ROOM_DBFS / 20))
    return np.clip(np.round(whole * 32767), -32768, 32767).astype(np.int16)
