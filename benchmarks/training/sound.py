"""CPU seconds that each change to the sound costs per hour of speech, one thread, utterances of ten seconds.

python -m benchmarks.training.sound
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from training.network.config import AugmentConfig
from training.network.features import Float
from training.network.feed import sound as changes

_RATE_HZ, _SECONDS, _TURNS = 16000, 10, 12


def main() -> int:
    """One figure per change, and of all of them together."""
    draws = np.random.default_rng(1)
    voice: Float = (0.1 * draws.standard_normal(_SECONDS * _RATE_HZ)).astype(np.float32)
    noises = [changes.pink_noise(60 * _RATE_HZ, draws)]
    parts = {
        "volume": AugmentConfig(volume_probability=1.0),
        "noise": AugmentConfig(noise_probability=1.0),
        "rooms": AugmentConfig(reverb_probability=1.0),
        "telephone": AugmentConfig(codec_probability=1.0),
        "band_limit": AugmentConfig(band_limit_probability=1.0),
        "all": AugmentConfig(
            volume_probability=1.0, noise_probability=1.0, reverb_probability=1.0, codec_probability=1.0,
            band_limit_probability=1.0,
        ),
    }  # fmt: skip
    cost = {}
    for name, config in parts.items():
        made = changes.SoundChanges(config, 1, _RATE_HZ, noises)
        cost[name] = _cost(partial(made.sound, voice, _RATE_HZ, draws))
    sys.stdout.write(json.dumps({"cpu_s_per_hour": cost}) + "\n")
    return 0


def _cost(change: Callable[[], Float]) -> float:
    """The fastest of some turns, per hour of speech."""
    spent = []
    for _ in range(_TURNS):
        begun = time.process_time()
        change()
        spent.append(time.process_time() - begun)
    return round(min(spent) * 3600 / _SECONDS, 2)


if __name__ == "__main__":
    sys.exit(main())
