"""Changes to the sound of training utterances before their features: volume, noise, rooms, lines, tempo.

Each change happens with a probability and within ranges from the configuration, drawn from the seed, the
utterance and the epoch, so that a resumed run hears the same. Noise comes from folders of sound files or
published corpora, or is made (by SoX, see made.py; else pink); rooms are measured impulse responses from a folder, or
made (by SoX; else noise that dies away). Tempo is changed on the frames, so pitch stays. Playing speed is not here (it
changes both).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from training.errors import DataError
from training.network.config import AugmentConfig, changes_sound
from training.network.features import Float, resample, samples_as_float
from training.network.feed.made import WORD, made_noises, made_rooms

if TYPE_CHECKING:
    from store.store import Store

_KEPT_S = 900.0  # of noise and of impulse responses in memory: 58 MB at 16 kHz
_PINK_S = 240.0  # of made noise, which utterances take their stretches from
_LOUDEST = 64.0  # times full scale: 36 dB more than any mixer writes by mistake
_ENDINGS = (".wav", ".flac", ".ogg", ".mp3")
_TELEPHONE_HZ = 8000


@dataclass(frozen=True)
class SoundChanges:
    """What may be done to the sound of an utterance.

    Attributes:
        rate_hz: of noises and rooms, float32 each.
    """

    config: AugmentConfig
    seed: int
    rate_hz: int
    noises: Sequence[Float] = field(default_factory=list)
    rooms: Sequence[Float] = field(default_factory=list)

    def generator(self, utterance: int, epoch: int) -> np.random.Generator:
        """Draws of one utterance in one epoch."""
        return np.random.default_rng([self.seed, epoch, utterance, 17])

    def sound(self, samples: npt.NDArray[np.generic], rate_hz: float, draws: np.random.Generator) -> Float:
        """Changed samples [samples], float32; never louder than full scale."""
        config, sound = self.config, samples_as_float(samples)
        if draws.random() < config.reverb_probability:
            sound = self._in_a_room(sound, rate_hz, draws)
        if draws.random() < config.noise_probability:
            sound = self._with_noise(sound, rate_hz, draws)
        if draws.random() < config.band_limit_probability:
            limit_hz = _drawn(draws, config.band_limit_hz)
            sound = _band_limited(sound, rate_hz, 2 * limit_hz)
        if draws.random() < config.codec_probability:
            sound = telephone(sound, rate_hz)
        if draws.random() < config.volume_probability:
            sound = sound * np.float32(10 ** (_drawn(draws, config.volume_db) / 20))
        return np.clip(sound, -1.0, 1.0).astype(np.float32, copy=False)

    def tempo(self, features: Float, draws: np.random.Generator) -> Float:
        """Features [frames, coefficients] at another tempo."""
        if len(features) == 0 or not draws.random() < self.config.tempo_probability:
            return features
        return at_tempo(features, _drawn(draws, self.config.tempo))

    def _with_noise(self, sound: Float, rate_hz: float, draws: np.random.Generator) -> Float:
        snr_db = _drawn(draws, self.config.noise_snr_db)
        if not self.noises:
            return with_noise(sound, pink_noise(len(sound), draws), snr_db)
        noise = self.noises[int(draws.integers(len(self.noises)))]
        start = int(draws.integers(len(noise)))
        needed = int(np.ceil(len(sound) * self.rate_hz / rate_hz)) + 1
        cut = noise[start : start + needed]
        if len(cut) < needed:  # from its beginning again
            cut = np.resize(np.roll(noise, -start), needed)
        return with_noise(sound, _as_long(resample(cut, self.rate_hz, rate_hz), len(sound)), snr_db)

    def _in_a_room(self, sound: Float, rate_hz: float, draws: np.random.Generator) -> Float:
        if self.rooms:
            room = resample(self.rooms[int(draws.integers(len(self.rooms)))], self.rate_hz, rate_hz)
        else:
            room = made_room(_drawn(draws, self.config.reverb_s), rate_hz, draws)
        return in_room(sound, room)


def _drawn(draws: np.random.Generator, span: tuple[float, ...]) -> float:
    return float(draws.uniform(span[0], span[1]))


def with_noise(sound: Float, noise: Float, snr_db: float) -> Float:
    """Sound plus noise of the same length, scaled to that ratio of mean powers; silence stays as it is."""
    power, noise_power = float(np.mean(sound**2)), float(np.mean(noise**2))
    if power == 0 or noise_power == 0:
        return sound
    scale = np.sqrt(power / (noise_power * 10 ** (snr_db / 10)))
    mixed: Float = sound + np.float32(scale) * noise
    return mixed


def pink_noise(length: int, draws: np.random.Generator) -> Float:
    """Noise whose power falls by 3 dB an octave."""
    spectrum = np.fft.rfft(draws.standard_normal(length))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1.0))
    noise: Float = np.fft.irfft(spectrum, length).astype(np.float32)
    return noise


def made_room(reverb_s: float, rate_hz: float, draws: np.random.Generator) -> Float:
    """An impulse response: the direct sound, then noise that falls by 60 dB in `reverb_s`."""
    time_s = np.arange(max(2, int(reverb_s * rate_hz))) / rate_hz
    tail = draws.standard_normal(len(time_s)) * 10 ** (-3 * time_s / reverb_s)
    tail *= 0.5 / np.sqrt(np.sum(tail**2))  # the room is 6 dB below the voice
    tail[0] = 1.0
    room: Float = tail.astype(np.float32)
    return room


def in_room(sound: Float, room: Float) -> Float:
    """Sound as heard in a room: as long and as loud as before, and not later."""
    if not len(sound):
        return sound
    heard = _convolved(sound, room)
    first = int(np.argmax(np.abs(room)))
    heard = heard[first : first + len(sound)]
    power, before = float(np.mean(heard**2)), float(np.mean(sound**2))
    scaled: Float = (heard * np.sqrt(before / power) if power else heard).astype(np.float32)
    return scaled


def _convolved(sound: Float, room: Float) -> Float:
    """Their convolution, [samples + room - 1], block by block: transforms that stay in the processor's cache."""
    size = max(4096, 1 << (4 * len(room) - 1).bit_length())
    step, tail = size - len(room) + 1, len(room) - 1
    blocks = -(-len(sound) // step)
    cut = np.zeros((blocks, step), np.float32)
    cut.reshape(-1)[: len(sound)] = sound
    parts = np.fft.irfft(np.fft.rfft(cut, size) * np.fft.rfft(room, size), size)
    whole = np.zeros((blocks + 1, step), np.float32)
    whole[:-1] = parts[:, :step]
    whole[1:, :tail] += parts[:, step:]
    convolved: Float = whole.reshape(-1)[: len(sound) + tail]
    return convolved


def telephone(sound: Float, rate_hz: float) -> Float:
    """Sound as a telephone line carries it: 8 kHz, eight bits by the mu-law."""
    narrow = resample(sound, rate_hz, _TELEPHONE_HZ) if rate_hz > _TELEPHONE_HZ else sound
    folded = np.sign(narrow) * np.log1p(255 * np.abs(np.clip(narrow, -1, 1))) / np.log1p(255)
    folded = np.round(folded * 127) / 127
    back = (np.sign(folded) * (np.expm1(np.abs(folded) * np.log1p(255)) / 255)).astype(np.float32)
    return _as_long(resample(back, _TELEPHONE_HZ, rate_hz) if rate_hz > _TELEPHONE_HZ else back, len(sound))


def _band_limited(sound: Float, rate_hz: float, narrow_hz: float) -> Float:
    if narrow_hz >= rate_hz:
        return sound
    return _as_long(resample(resample(sound, rate_hz, narrow_hz), narrow_hz, rate_hz), len(sound))


def _as_long(sound: Float, length: int) -> Float:
    """Cut or filled with silence: resampling there and back may differ by a sample."""
    return sound[:length] if len(sound) >= length else np.pad(sound, (0, length - len(sound)))


def at_tempo(features: Float, tempo: float) -> Float:
    """Frames between frames: at least one, 1 / tempo times as many."""
    count = max(1, round(len(features) / tempo))
    places = np.linspace(0, len(features) - 1, count)
    below = np.floor(places).astype(np.int64)
    above = np.minimum(below + 1, len(features) - 1)
    share = (places - below).astype(np.float32)[:, None]
    between: Float = features[below] * (1 - share) + features[above] * share
    return between


def read_sound_changes(config: AugmentConfig, seed: int, rate_hz: int, store: Store) -> SoundChanges | None:
    """The changes a configuration asks for, noise and rooms read; None when it asks for none.

    Raises:
        DataError: a folder or corpus is not there, holds no sound that can be read, or one whose samples are no
            numbers or beyond any loudness; sox is missing.
    """
    if not changes_sound(config):
        return None
    noises: list[Float] = []
    for place in config.noise_from:
        key = "augment.noise_from"
        noises += made_noises(seed, rate_hz) if place == WORD else _sounds(place, key, rate_hz, store)
    rooms: list[Float] = []
    if config.impulse_responses == WORD:
        rooms = made_rooms(rate_hz)
    elif config.impulse_responses:
        rooms = _sounds(config.impulse_responses, "augment.impulse_responses", rate_hz, store)
    return SoundChanges(config, seed, rate_hz, noises, rooms)


def _sounds(place: str, key: str, rate_hz: int, store: Store) -> list[Float]:
    """Sounds of a folder or of a published corpus, some minutes of them, spread over it."""
    folder = Path(place)
    found = _of_folder(folder, rate_hz) if folder.is_dir() else _of_corpus(place, key, rate_hz, store)
    if not found:
        raise DataError(f"{key}: {place} holds no sound that can be read")
    return found


def _of_folder(folder: Path, rate_hz: int) -> list[Float]:
    import soundfile

    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS)
    sounds: list[Float] = []
    seconds = 0.0
    for path in paths:
        try:
            samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        except (soundfile.LibsndfileError, RuntimeError, OSError):
            continue  # a folder of noise may hold what is no sound; an empty answer is an error above
        if len(samples):
            _refuse_absurd(samples[:, 0], path)
            sounds.append(resample(np.ascontiguousarray(samples[:, 0]), rate, rate_hz))
            seconds += len(samples) / rate
        if seconds >= _KEPT_S:
            break
    return sounds


def _refuse_absurd(samples: Float, path: Path) -> None:
    """One such sample would make every utterance it is mixed into not finite, or nothing but itself."""
    odd = ~(np.abs(samples) <= _LOUDEST)
    if odd.any():
        first = int(odd.argmax())
        raise DataError(
            f"{path}: sample {first} is {samples[first]:g} where full scale is 1: was it saved as floats without "
            "dividing by 32768? Mend or remove the file"
        )


def _of_corpus(name: str, key: str, rate_hz: int, store: Store) -> list[Float]:
    from native.flac import decode
    from store.errors import NotPublishedError

    try:
        corpus = store.corpus(name)
    except NotPublishedError as error:
        raise DataError(f"{key}: {name} is neither a folder nor a published corpus: {error}") from error
    sounds: list[Float] = []
    seconds = 0.0
    for batch in corpus.batches(split="train", columns=["audio"]):
        rows: list[Any] = batch.to_pylist()
        for row in rows:
            sound = decode(row["audio"]["bytes"])
            sounds.append(resample(samples_as_float(sound.samples[:, 0]), sound.sample_rate_hz, rate_hz))
            seconds += len(sounds[-1]) / rate_hz
        if seconds >= _KEPT_S:
            break
    return sounds
