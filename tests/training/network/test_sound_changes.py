"""Changes to sound: each does what it says, is drawn from seed, utterance and epoch, and is off for dev."""

from __future__ import annotations

import dataclasses
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from store.store import Store
from training.errors import ConfigError, DataError
from training.network.batches import PlanOptions
from training.network.config import AugmentConfig, TrainingConfig, parse_config
from training.network.feed.sound import (
    SoundChanges,
    at_tempo,
    in_room,
    made_room,
    pink_noise,
    read_sound_changes,
    telephone,
    with_noise,
)  # fmt: skip
from training.network.feed.sources import ShardSource, Share, Span, source_of
from training.runs import feed_reader

RATE_HZ = 16000
EVERYTHING = AugmentConfig(
    tempo_probability=0.5, volume_probability=0.5, noise_probability=0.7, reverb_probability=0.5,
    codec_probability=0.3, band_limit_probability=0.3,
)  # fmt: skip


def tone(seconds: float = 1.0, pitch_hz: float = 440.0) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * pitch_hz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ)).astype(
        np.float32
    )


def test_noise_has_the_ratio_that_was_asked_for() -> None:
    draws = np.random.default_rng(1)
    sound, noise = tone(), pink_noise(RATE_HZ, draws)
    for snr_db in (0.0, 20.0):
        added = with_noise(sound, noise, snr_db) - sound
        assert 10 * np.log10(np.mean(sound**2) / np.mean(added**2)) == pytest.approx(snr_db, abs=0.01)
    spectrum = np.abs(np.fft.rfft(noise)) ** 2
    assert spectrum[100:200].mean() > 5 * spectrum[1600:3200].mean()
    np.testing.assert_array_equal(with_noise(np.zeros(9, np.float32), noise[:9], 10.0), np.zeros(9))


def test_a_room_keeps_length_and_loudness_and_rings_on() -> None:
    draws = np.random.default_rng(2)
    sound = np.concatenate([tone(0.3), np.zeros(RATE_HZ // 2, np.float32)])
    heard = in_room(sound, made_room(0.4, RATE_HZ, draws))
    assert heard.shape == sound.shape
    assert np.mean(heard**2) == pytest.approx(np.mean(sound**2), rel=1e-3)
    tail = heard[int(0.32 * RATE_HZ) : int(0.4 * RATE_HZ)]
    assert np.mean(tail**2) > 1e-5
    one = np.zeros(50, np.float32)
    one[10] = 1.0  # a response that comes late does not delay
    np.testing.assert_allclose(in_room(tone(0.1), one), tone(0.1), atol=1e-3)


def test_a_telephone_cuts_high_tones_and_keeps_low_ones() -> None:
    high, low = telephone(tone(pitch_hz=6000.0), RATE_HZ), telephone(tone(), RATE_HZ)
    assert len(high) == len(low) == RATE_HZ
    assert np.mean(high[2000:-2000] ** 2) < 1e-4
    assert np.corrcoef(low[2000:-2000], tone()[2000:-2000])[0, 1] > 0.99


def test_tempo_changes_the_number_of_frames_and_keeps_their_values() -> None:
    frames = np.linspace(0, 1, 50, dtype=np.float32)[:, None]
    slow, fast = at_tempo(frames, 0.8), at_tempo(frames, 1.25)
    assert (len(slow), len(fast)) == (62, 40)
    assert (np.diff(slow[:, 0]) > 0).all() and slow[-1] == frames[-1]


def test_changes_are_drawn_from_seed_utterance_and_epoch() -> None:
    changes = SoundChanges(EVERYTHING, 1, RATE_HZ)
    heard = {
        (utterance, epoch): changes.sound(tone(), RATE_HZ, changes.generator(utterance, epoch))
        for utterance in range(4)
        for epoch in range(3)
    }
    again = changes.sound(tone(), RATE_HZ, changes.generator(2, 1))
    np.testing.assert_array_equal(heard[2, 1], again)
    assert len({one.tobytes() for one in heard.values()}) > 8
    assert all(np.abs(one).max() <= 1.0 and len(one) == RATE_HZ for one in heard.values())


@pytest.fixture(scope="module")
def store(tones: Any, tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("sound"))
    tones.publish(store, "tones", {"train": tones.clips(9), "dev": tones.clips(2)})
    return store


def test_batches_differ_by_epoch_and_are_the_same_again(store: Store) -> None:
    config = TrainingConfig(augment=EVERYTHING)
    reader, _ = feed_reader(config, store)
    source = source_of(reader, 4.0, ())
    assert isinstance(source, ShardSource)
    plan = source.plan(1, PlanOptions(batch_size=9, sorted_first_epoch=False))
    batches = [
        [batch for _, batch in islice(source.feed(plan, Span(), source.whitening(), Share()), 2)]
        for _ in "ab"
    ]
    for one, two in zip(*batches, strict=True):
        assert one is not None and two is not None
        np.testing.assert_array_equal(one.features, two.features)
    by_utterance = [
        dict(zip(b.utterances.tolist(), b.features, strict=True)) for b in batches[0] if b is not None
    ]
    assert any(not np.array_equal(by_utterance[0][u], by_utterance[1][u]) for u in by_utterance[0])


def test_noise_and_rooms_come_from_folders_and_corpora(store: Store, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "hum.wav", tone(0.5, 50.0), 8000)
    (tmp_path / "readme.wav").write_text("no sound")
    config = dataclasses.replace(
        EVERYTHING, noise_from=(str(tmp_path), "tones"), impulse_responses=str(tmp_path)
    )
    changes = read_sound_changes(config, 1, RATE_HZ, store)
    assert changes is not None and len(changes.noises) == 10 and len(changes.rooms) == 1
    assert changes.sound(tone(), RATE_HZ, changes.generator(0, 0)).shape == (RATE_HZ,)
    assert read_sound_changes(AugmentConfig(), 1, RATE_HZ, store) is None
    for place in (str(tmp_path / "nowhere"), str(tmp_path / "empty")):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(DataError, match=r"augment\.noise_from"):
            read_sound_changes(dataclasses.replace(EVERYTHING, noise_from=(place,)), 1, RATE_HZ, store)
    for value in (np.nan, -np.inf, 3e38, 20_000.0):
        loud = tone(0.5, 50.0)
        loud[7] = value
        soundfile.write(tmp_path / "hum.wav", loud, 8000, subtype="FLOAT")
        with pytest.raises(DataError, match=r"hum\.wav: sample 7 is .* where full scale is 1"):
            read_sound_changes(config, 1, RATE_HZ, store)


def test_noise_and_rooms_made_by_sox(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    config = dataclasses.replace(EVERYTHING, noise_from=("sox",), impulse_responses="sox")
    changes, again = (read_sound_changes(config, 1, 8000, store) for _ in "ab")
    assert changes is not None and again is not None
    assert len(changes.noises) == 5 and len(changes.rooms) == 12
    for one, two in zip([*changes.noises, *changes.rooms], [*again.noises, *again.rooms], strict=True):
        np.testing.assert_array_equal(one, two)
    hum, rain = (np.abs(np.fft.rfft(noise)) ** 2 for noise in changes.noises[:2])
    low, high = slice(30 * 30, 150 * 30), slice(1000 * 30, 2000 * 30)  # thirty lines a hertz
    assert hum[low].mean() > 100 * hum[high].mean() and rain[low].mean() < 10 * rain[high].mean()
    rings_s = [
        np.flatnonzero(np.cumsum(room[::-1] ** 2)[::-1] > 1e-3 * np.sum(room**2))[-1] / 8000
        for room in changes.rooms
    ]
    assert rings_s[0] < 0.2 and rings_s[-1] > 0.5 and all(np.argmax(room) == 0 for room in changes.rooms)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DataError, match="apt-get install sox"):
        read_sound_changes(config, 1, 8000, store)


def test_ranges_are_checked_and_the_cache_is_refused() -> None:
    for text in (
        "[augment]\nnoise_snr_db = [30, 5]\n",
        "[augment]\ntempo = [0.9]\n",
        "[augment]\nnoise_probability = 1.5\n",
        "[augment]\nnoise_probability = 0.5\n[data]\nfeature_cache_gb = 1\n",
    ):
        with pytest.raises(ConfigError):
            parse_config(text)


def test_masks_of_coefficients_reach_over_all_frames() -> None:
    from training.network.augment import augment
    from training.network.dataset import Batch

    batch = Batch(
        np.ones((3, 7, 26), np.float32),
        np.array([7, 5, 6], np.int32),
        np.zeros((3, 1), np.int32),
        np.arange(3),
    )
    masked = augment(batch, AugmentConfig(frequency_masks=2, frequency_mask_coefficients=6), 1, 4).features
    silent = (masked == 0).all(axis=1)
    assert silent.any() and not silent.all(axis=1).any()
    assert (masked[0] == np.where(silent[0], 0, 1)).all()
