"""The front end against an independent computation, its lengths, resampling and whitening."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.network import features_reference
from tests.training.network.features_reference import mel_matrix
from training.network.config import FeatureConfig
from training.network.features import frame_counts, mfcc, mfcc_many, whitening_of

CONFIG = FeatureConfig()


def slow_mfcc(samples: np.ndarray) -> np.ndarray:
    """The definition, frame by frame and coefficient by coefficient, in float64."""
    mel = mel_matrix(CONFIG).astype(np.float64)
    frames = []
    for start in range(0, len(samples) - 511, 320):
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(512) / 512)
        log_mel = np.log(np.abs(np.fft.rfft(samples[start : start + 512] * window)) @ mel + 1e-6)
        place = np.arange(40)
        frames.append(
            [np.sum(log_mel * np.cos(np.pi * k * (place + 0.5) / 40)) * np.sqrt(2.0 / 40) for k in range(26)]
        )
    return np.array(frames)


def test_the_vectorised_form_equals_the_definition() -> None:
    samples = np.random.default_rng(1).standard_normal(16000) * 0.1
    found = mfcc(samples.astype(np.float32), 16000, CONFIG)
    assert found.shape == (49, 26)
    np.testing.assert_allclose(found, slow_mfcc(samples), atol=2e-4)


@pytest.mark.slow
def test_the_front_end_equals_tensorflows() -> None:
    import tensorflow as tf

    samples = (np.random.default_rng(2).standard_normal(24000) * 0.1).astype(np.float32)
    spectrum = tf.abs(tf.signal.stft(samples, 512, 320, 512))
    weights = tf.signal.linear_to_mel_weight_matrix(40, 257, 16000, 20.0, 8000.0)
    expected = tf.signal.mfccs_from_log_mel_spectrograms(tf.math.log(spectrum @ weights + 1e-6))[
        :, :26
    ].numpy()
    np.testing.assert_allclose(mfcc(samples, 16000, CONFIG), expected, atol=2e-4)


def test_the_filters_cover_everything_up_to_half_the_rate() -> None:
    weights = mel_matrix(CONFIG)
    assert weights.shape == (257, 40)
    assert (weights.sum(axis=0) > 0).all()
    highest_bin = int(np.flatnonzero(weights[:, -1])[-1])
    assert highest_bin * 16000 / 512 > 7900


@pytest.mark.parametrize("length", [0, 1, 511, 512, 831, 832, 16000])
def test_only_whole_windows_become_frames(length: int) -> None:
    found = mfcc(np.zeros(length, np.float32), 16000, CONFIG)
    assert found.shape == (int(frame_counts(np.array(length), CONFIG)), 26)
    assert np.isfinite(found).all()


def test_eight_kilohertz_audio_gives_the_same_low_bands() -> None:
    time_s = np.arange(16000) / 16000
    tone = (0.3 * np.sin(2 * np.pi * 700 * time_s)).astype(np.float32)
    wide, narrow = mfcc(tone, 16000, CONFIG), mfcc(tone[::2], 8000, CONFIG)
    assert abs(len(wide) - len(narrow)) <= 1
    assert np.abs(wide[5:40, 1] - narrow[5:40, 1]).max() < 0.25 * np.abs(wide[5:40, 1]).max()


def test_integers_and_floats_give_the_same_features() -> None:
    samples = (np.random.default_rng(3).standard_normal(4000) * 3000).astype(np.int16)
    np.testing.assert_array_equal(
        mfcc(samples, 16000, CONFIG), mfcc(samples.astype(np.float32) / 32768, 16000, CONFIG)
    )


def test_whitened_training_frames_have_mean_zero_and_deviation_one() -> None:
    frames = np.random.default_rng(4).normal(3.0, 5.0, (2000, 26)).astype(np.float32)
    whitened = whitening_of(frames).apply(frames)
    np.testing.assert_allclose(whitened.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(whitened.std(axis=0), 1, atol=1e-4)


CONFIGS = [
    FeatureConfig(),
    FeatureConfig(sample_rate_hz=8_000),
    FeatureConfig(window_s=0.025, hop_s=0.010, mel_filters=80, low_hz=0.0, coefficients=80),
    FeatureConfig(sample_rate_hz=22_050, window_s=0.0213, hop_s=0.0107, mel_filters=23, coefficients=13),
    FeatureConfig(sample_rate_hz=4_000, window_s=0.001, hop_s=0.001, mel_filters=2, coefficients=1),
    FeatureConfig(sample_rate_hz=48_000, window_s=1.0, hop_s=0.5, mel_filters=512, coefficients=512),
]


@pytest.mark.parametrize("config", CONFIGS)
def test_every_configuration_equals_numpy(config: FeatureConfig) -> None:
    random = np.random.default_rng(7)
    count = 3 * config.sample_rate_hz
    loud = 10.0 ** random.uniform(-3.5, -0.5, count // 400 + 1).repeat(400)[:count]
    samples = (random.standard_normal(count) * loud).clip(-1, 0.999).astype(np.float32)
    found = mfcc(samples, config.sample_rate_hz, config)
    expected = features_reference.mfcc(samples, config)
    assert found.shape == expected.shape == (int(frame_counts(np.array(count), config)), config.coefficients)
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=0)


def test_many_at_once_are_what_each_is() -> None:
    random = np.random.default_rng(8)
    sounds = [(random.standard_normal(count) * 3000).astype(np.int16) for count in (100, 8_000, 9_000)]
    rates_hz = [16_000, 8_000, 16_000]
    for found, samples, rate_hz in zip(mfcc_many(sounds, rates_hz, CONFIG), sounds, rates_hz, strict=True):
        np.testing.assert_array_equal(found, mfcc(samples, rate_hz, CONFIG))
