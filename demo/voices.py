"""Who speaks in the demo: espeak-ng voices as speakers, disjoint between train, dev and test.

What it does: a speaker is a voice variant of espeak-ng plus a base pitch and speed. The LibriSpeech layout
uses the families `m`, `f` and `klatt`; a variant that is heard in one split of it is heard in no other
split of any corpus, so its dev and test speakers are voices that the network has never heard, and dev has
one variant of each of test's families: what is tuned on dev fits the test. The other corpora have named
variants of their own.

What it does not do: it makes no sound (demo/speech.py does) and knows no corpus layout.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

READERS = {
    "train": ("m1", "f1", "klatt", "m2", "f2", "klatt2", "m3", "m4"),
    "dev": ("m5", "f3", "klatt5"),
    "test": ("m7", "f4", "klatt3"),
}
OTHERS = {
    "train": ("Alex", "linda", "Andy", "steph", "Lee", "max"),
    "dev": ("paul", "belinda"),
    "test": ("ed", "aunty"),
}
_FEMALE = {"linda", "steph", "belinda", "aunty"}


@dataclass(frozen=True)
class Voice:
    """One speaker: name, espeak-ng variant, gender ("m" or "f"), pitch (0–99), speed in words per minute."""

    speaker: str
    variant: str
    gender: str
    pitch: int
    speed_wpm: int

    @property
    def espeak_name(self) -> str:
        """The voice as espeak-ng's `-v` takes it."""
        return f"en-us+{self.variant}"


def speakers(variants: tuple[str, ...], count: int, prefix: str, seed: str) -> list[Voice]:
    """`count` speakers spread over `variants`, named `<prefix>-<number>`; the same for the same arguments."""
    rng = random.Random(f"{seed}/{prefix}")
    voices = []
    for number in range(count):
        variant = variants[number % len(variants)]
        gender = "f" if variant in _FEMALE or variant in ("f1", "f2", "f3", "f4", "f5") else "m"
        pitch, speed = rng.randint(32, 62), rng.randint(145, 185)
        voices.append(Voice(f"{prefix}-{number + 1:02d}", variant, gender, pitch, speed))
    return voices
