"""Noises and rooms made by SoX, for training without recordings of any: asked for by the word `sox`.

Noise of four colours with the swell of wind, rain or a street; rooms are the impulse responses of SoX's reverberation
at four sizes and three degrees of echo. They are made once as a run starts, within a second; what is mixed into
an utterance and how loud is drawn in `sound.py`. The same seed and rate give the same samples.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from training.errors import DataError
from training.network.features import Float

WORD = "sox"
_NOISE_S = 30.0
_ROOM_S = 1.5
_FALLS_DB = {"white": 0.0, "pink": 3.0, "brown": 6.0}  # an octave
_NOISES: tuple[tuple[str, tuple[tuple[str, dict[str, float]], ...]], ...] = (
    ("brown", ()),  # a room's hum
    ("pink", (("highpass", {"frequency": 200.0}),)),  # rain
    ("pink", (("tremolo", {"speed": 0.3, "depth": 70.0}),)),  # waves, wind
    ("pink", (("lowpass", {"frequency": 900.0}), ("tremolo", {"speed": 1.7, "depth": 40.0}))),  # a street
    ("white", (("bandpass", {"frequency": 1200.0, "width_q": 0.7}),)),  # a fan
)
_SIZES, _ECHOES = (10.0, 40.0, 70.0, 100.0), (20.0, 50.0, 80.0)  # SoX's room scale and reverberance, per cent


def made_noises(seed: int, rate_hz: int) -> list[Float]:
    """Thirty seconds of each noise, float32 within [-1, 1].

    Raises:
        DataError: the program sox is missing, or refuses.
    """
    draws = np.random.default_rng([seed, 23])
    return [_through(_coloured(colour, rate_hz, draws), rate_hz, effects) for colour, effects in _NOISES]


def made_rooms(rate_hz: int) -> list[Float]:
    """Impulse responses, float32, loudest at 1; the direct sound comes first in each.

    Raises:
        DataError: the program sox is missing, or refuses.
    """
    click = np.zeros(round(_ROOM_S * rate_hz), np.float32)
    click[0] = 0.5
    rooms = []
    for size in _SIZES:
        for echo in _ECHOES:
            answer = _through(
                click, rate_hz, (("reverb", {"room_scale": size, "reverberance": echo, "wet_gain": 6.0}),)
            )
            answer[0] = max(float(np.abs(answer).max()), 1e-6)  # no echo is louder than the voice itself
            rooms.append(answer / answer[0])
    return rooms


def _coloured(colour: str, rate_hz: int, draws: np.random.Generator) -> Float:
    """Noise whose power falls by so many dB an octave above 20 Hz, at a tenth of full scale."""
    length = round(_NOISE_S * rate_hz)
    spectrum = np.fft.rfft(draws.standard_normal(length))
    octaves = np.log2(np.maximum(np.fft.rfftfreq(length, 1 / rate_hz), 20.0) / 20.0)
    noise = np.fft.irfft(spectrum * 10 ** (-_FALLS_DB[colour] * octaves / 20), length)
    scaled: Float = (0.1 * noise / np.sqrt(np.mean(noise**2))).astype(np.float32)
    return scaled


def _through(
    sound: npt.NDArray[np.float32], rate_hz: int, effects: tuple[tuple[str, dict[str, float]], ...]
) -> Float:
    """A sound as long as before, through effects of SoX, each by its name in the package and its settings."""
    import sox

    chain: Any = sox.Transformer()
    for name, settings in effects:
        getattr(chain, name)(**settings)
    try:
        made = chain.build_array(input_array=sound, sample_rate_in=rate_hz)
    except (sox.SoxError, OSError, ValueError) as error:
        raise DataError(
            f"augment: noises and rooms of sox cannot be made ({error}); apt-get install sox installs the program"
        ) from error
    answer: Float = np.asarray(made, np.float32).reshape(-1)[: len(sound)]
    return np.pad(answer, (0, len(sound) - len(answer)))
