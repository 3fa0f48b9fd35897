"""The training configuration: frozen dataclasses read from one TOML file.

Every key has a default, a range and a line of help; `example_text()` renders them all (config.example.toml
is that text). Unknown keys are refused with their line and the nearest known key. Holds no paths into a
store and reads no corpus.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

from corpora.quality.checks import CTC_RATE_HZ, CTC_STEP, CTC_WINDOW
from corpora.quality.thresholds import Thresholds
from training.errors import ConfigError
from training.network import keys
from training.network.feed.folds import is_share
from training.network.keys import above, any_text, at_least, each, either, key, name, names, one_of, within


def _span(low: float, high: float) -> keys.Rule:
    """Two numbers, the lower first."""
    return keys.Rule(
        lambda value: len(value) == 2 and low <= value[0] <= value[1] <= high,
        f"two numbers from {low:g} to {high:g}, the lower first",
    )


LAYERS = ("dense1", "dense2", "dense3", "lstm4", "dense5", "output")


@dataclass(frozen=True)
class DataConfig:
    """Which published utterances are learnt from."""

    corpora: tuple[str, ...] = key(
        (), "published corpora, each NAME or NAME@VERSION; [] = all that have train_split", names
    )
    train_split: str = key("train", "split whose utterances are learnt", name)
    dev_split: str = key("dev", "split measured while training; never learnt from", name)
    subsets: tuple[str, ...] = key(
        (), "only these official parts of train_split (train-clean-100 …); [] = all", names
    )
    min_duration_s: float = key(0.1, "shorter training utterances are left out, seconds", at_least(0))
    max_duration_s: float = key(
        Thresholds().max_duration_s, "longer training utterances are left out, seconds", above(0)
    )
    max_train_hours: float = key(
        0.0, "learn from at most this many hours, chosen evenly; 0 = all", at_least(0)
    )
    max_dev_utterances: int = key(
        400, "dev utterances measured per validation, chosen evenly; 0 = all", at_least(0)
    )
    language: str = key(
        "", "language learnt (en, de-AT …); '' = English, without an English corpus the one of most hours",
        any_text, since=2,
    )  # fmt: skip
    alphabet: str = key("", "file of labels instead of the language's alphabet; '' = none", any_text, since=2)
    weights: tuple[float, ...] = key(
        (), "how often each of `corpora` is heard per epoch (2 = twice, 0.5 = another half each time); [] = once",
        each(within(0.001, 100)), since=2,
    )  # fmt: skip
    max_hours: tuple[float, ...] = key(
        (),
        "at most this many hours of each of `corpora`; 0 = all of it; [] = all",
        each(at_least(0)),
        since=2,
    )
    shuffle_hours: float = key(
        4.0, "hours shuffled together; up to twice as many stay in memory (19 MB an hour and speed)",
        within(0.001, 1000), since=2,
    )  # fmt: skip
    feature_cache_gb: float = key(
        0.0, "features kept on disk as float16, at most this many GB; 0 = computed anew in every epoch",
        at_least(0), since=2,
    )  # fmt: skip
    leave_out: str = key(
        "", "a share of the utterances that is not learnt from, as 2/5 (told by their sound); '' = none",
        keys.Rule(is_share, "a share as 2/5, or nothing"), since=2,
    )  # fmt: skip
    feature_folder: str = key(
        "",
        "learn from a folder of features instead of corpora (docs/training.md); '' = none",
        any_text,
        since=2,
    )


@dataclass(frozen=True)
class FeatureConfig:
    """The front end: Hann window, mel filters, MFCC, context."""

    sample_rate_hz: int = key(
        16000, "audio at another rate is resampled to this one first, Hz", within(4000, 48000)
    )
    window_s: float = key(CTC_WINDOW / CTC_RATE_HZ, "analysis window, seconds", within(0.001, 1))
    hop_s: float = key(CTC_STEP / CTC_RATE_HZ, "one network step, seconds", within(0.001, 1))
    mel_filters: int = key(40, "mel filters between low_hz and half the rate", within(1, 512))
    low_hz: float = key(20.0, "lower edge of the lowest mel filter, Hz", within(0, 24000, open_end=True))
    coefficients: int = key(26, "cepstral coefficients per frame", within(1, 512))
    context: int = key(9, "frames added on either side of each frame (zeros at the ends)", within(0, 100))


@dataclass(frozen=True)
class ModelConfig:
    """Widths of the network; 2048 is the full size of 122.7 million weights."""

    n_hidden: int = key(
        128, "width of the dense layers and cells per direction (2048 = full size; CPU: 64 to 256)",
        within(1, 16384),
    )  # fmt: skip
    dropout: float = key(
        0.05, "share of units dropped after the dense layers 1, 2, 3 and 5 while training", within(0, 1, True)
    )
    relu_clip: float = key(20.0, "upper limit of the clipped rectifier", above(0))
    forget_bias: float = key(1.0, "initial bias of the LSTM's forget gate", within(-10, 10))
    direction: str = key(
        "bidirectional", "bidirectional, or unidirectional: hears only `lookahead` of the future, can stream",
        one_of("bidirectional", "unidirectional"), since=2,
    )  # fmt: skip
    lookahead: int = key(
        -1, "frames of the future in the context; -1 = as many as features.context", within(-1, 100), since=2
    )
    layer_norm: bool = key(False, "layer normalisation before each clipped rectifier", either, since=2)
    dropouts: tuple[float, ...] = key(
        (), "shares dropped after dense1, dense2, dense3, lstm4, dense5, instead of dropout; [] = dropout",
        each(within(0, 1, True), 0, 5), since=2,
    )  # fmt: skip
    initialisation: str = key(
        "glorot", "first weights: glorot, he, or release_2017 (normal, also the biases)",
        one_of("glorot", "he", "release_2017"), since=2,
    )  # fmt: skip


@dataclass(frozen=True)
class TransferConfig:
    """Starting from a trained network: another alphabet, another language, more data."""

    init_from: str = key(
        "", "run or folder whose best weights are started from; '' = none", any_text, since=2
    )
    drop_layers: tuple[str, ...] = key(
        (), "layers that start anew all the same; those of another shape always do", each(one_of(*LAYERS)),
        since=2,
    )  # fmt: skip
    freeze_layers: tuple[str, ...] = key(
        (), "layers that keep the weights they start with", each(one_of(*LAYERS)), since=2
    )


@dataclass(frozen=True)
class OptimiserConfig:
    """Adam and its learning rate."""

    learning_rate: float = key(0.001, "peak learning rate (0.0001 for the full size)", within(1e-9, 10))
    beta1: float = key(0.9, "Adam's decay of the first moment", within(0, 1, True))
    beta2: float = key(0.999, "Adam's decay of the second moment", within(0, 1, True))
    epsilon: float = key(1e-8, "Adam's epsilon", within(1e-20, 1))
    clip_norm: float = key(0.0, "gradients are scaled down to this global norm; 0 = off", at_least(0))
    warmup_steps: int = key(0, "steps over which the rate rises linearly to its peak", at_least(0))
    decay: str = key(
        "none", "after warm-up: none, linear or cosine, down to final_rate at the last step",
        one_of("none", "linear", "cosine"),
    )  # fmt: skip
    average: float = key(
        0.0, "measured and used are running means of the weights: 0.998 = over some 500 steps; 0 = the last weights",
        within(0, 1, True), since=2,
    )  # fmt: skip
    final_rate: float = key(
        0.05, "share of the peak rate left at the last step when decay is not none", within(0, 1)
    )


@dataclass(frozen=True)
class LoopConfig:
    """How long, how often measured, how often saved."""

    epochs: int = key(12, "passes over the training data (used when steps is 0)", at_least(0))
    steps: int = key(0, "optimiser steps; 0 = epochs times the batches of an epoch", at_least(0))
    batch_size: int = key(32, "utterances per step", within(1, 65536))
    batch_frames: int = key(0, "at most this many padded frames per step; 0 = no limit", at_least(0))
    bucket_batches: int = key(
        16, "batches drawn together and sorted by length: less padding, less shuffling", within(1, 65536)
    )
    sorted_first_epoch: bool = key(True, "the first epoch goes from short to long utterances", either)
    dev_every_epochs: int = key(
        1, "dev is measured after every so many epochs and after the last step; 0 = at the end only",
        at_least(0),
    )  # fmt: skip
    checkpoint_every_s: float = key(
        60.0,
        "seconds between checkpoints inside an epoch; one is also made at every epoch's end",
        at_least(0),
    )
    keep_checkpoints: int = key(2, "newest checkpoints kept, beside the best one on dev", within(1, 1000))
    max_bad_batches: int = key(
        20, "batches in a row without one finite loss that are passed over before the run is given up",
        at_least(0),
    )  # fmt: skip
    device: str = key(
        "auto", "auto, cpu or gpu: a GPU asked for and not usable ends the run before its first step",
        one_of("auto", "cpu", "gpu"), since=2,
    )  # fmt: skip
    precision: str = key(
        "float32", "float32, or bfloat16: products in half precision, weights and loss in single",
        one_of("float32", "bfloat16"), since=2,
    )  # fmt: skip
    backend: str = key(
        "tensorflow", "tensorflow, or jax: what computes; runs of several workers are TensorFlow's",
        one_of("tensorflow", "jax"), since=2,
    )  # fmt: skip
    threads: int = key(0, "CPU threads for the network; 0 = all cores this process may use", within(0, 1024))


@dataclass(frozen=True)
class AugmentConfig:
    """Changes made to training utterances only, each epoch anew, from the seed."""

    speeds: tuple[float, ...] = key(
        (1.0,), "playing speeds; each utterance is heard at one of them per epoch (pitch moves too)",
        each(within(0.5, 2), *range(1, 17), distinct=True),
    )  # fmt: skip
    time_masks: int = key(
        0, "stretches of frames silenced per utterance (set to the training mean)", within(0, 100)
    )
    time_mask_frames: int = key(10, "longest stretch silenced, frames", within(0, 10000))
    feature_noise: float = key(
        0.0, "deviation of Gaussian noise added to every whitened coefficient", within(0, 100)
    )
    feature_offset: float = key(
        0.0, "deviation of a Gaussian offset per utterance and coefficient (another voice, another room)",
        within(0, 100),
    )  # fmt: skip
    frequency_masks: int = key(
        0,
        "stretches of coefficients silenced per utterance (set to the training mean)",
        within(0, 100),
        since=2,
    )
    frequency_mask_coefficients: int = key(4, "longest stretch of them", within(0, 512), since=2)
    tempo_probability: float = key(
        0.0, "share of utterances at another tempo (pitch stays)", within(0, 1), since=2
    )
    tempo: tuple[float, ...] = key((0.9, 1.1), "slowest and fastest tempo", _span(0.5, 2), since=2)
    volume_probability: float = key(0.0, "share of utterances at another volume", within(0, 1), since=2)
    volume_db: tuple[float, ...] = key((-10.0, 6.0), "least and most gain, dB", _span(-60, 30), since=2)
    noise_probability: float = key(0.0, "share of utterances with noise", within(0, 1), since=2)
    noise_snr_db: tuple[float, ...] = key((5.0, 30.0), "worst and best ratio, dB", _span(-30, 90), since=2)
    noise_from: tuple[str, ...] = key(
        (), "folders of sound files, published corpora, or sox (five noises it makes); [] = pink noise", names,
        since=2,
    )  # fmt: skip
    reverb_probability: float = key(0.0, "share of utterances heard in a room", within(0, 1), since=2)
    reverb_s: tuple[float, ...] = key(
        (0.1, 0.6), "shortest and longest reverberation, seconds for 60 dB", _span(0.01, 5), since=2
    )
    impulse_responses: str = key(
        "",
        "folder of measured rooms (sound files), or sox (its reverberation); '' = noise that dies away",
        any_text,
        since=2,
    )
    codec_probability: float = key(
        0.0, "share of utterances through a telephone codec", within(0, 1), since=2
    )
    band_limit_probability: float = key(
        0.0, "share of utterances whose high tones are cut", within(0, 1), since=2
    )
    band_limit_hz: tuple[float, ...] = key(
        (2500.0, 7000.0), "lowest and highest limit, Hz", _span(500, 24000), since=2
    )


@dataclass(frozen=True)
class TrainingConfig:
    """Everything a training run depends on, besides the corpora themselves."""

    seed: int = key(
        1, "seed of the weights, the order of batches, dropout and augmentation", within(0, 2**31 - 1)
    )
    data: DataConfig = DataConfig()
    features: FeatureConfig = FeatureConfig()
    model: ModelConfig = ModelConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    loop: LoopConfig = LoopConfig()
    augment: AugmentConfig = AugmentConfig()
    transfer: TransferConfig = TransferConfig()


def changes_sound(config: AugmentConfig) -> bool:
    """Whether any change of sound or tempo can happen."""
    return any(
        (
            config.volume_probability, config.noise_probability, config.reverb_probability,
            config.codec_probability, config.band_limit_probability, config.tempo_probability,
        )
    )  # fmt: skip


# Keys that change how a run is carried out but not what it learns. Of the alphabet its hash counts.
_OUTSIDE_IDENTITY = {
    "loop": ("checkpoint_every_s", "keep_checkpoints", "threads", "device"),
    "data": ("alphabet", "feature_folder"),
}


def read_config(path: Path) -> TrainingConfig:
    """Read and check a TOML file.

    Raises:
        ConfigError: the file cannot be read, is not TOML, or holds an unknown key or an impossible value; the
            message names file, line, key and the nearest known key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the configuration cannot be read: {error}") from error
    return parse_config(text, str(path))


def parse_config(text: str, place: str = "configuration") -> TrainingConfig:
    """Like `read_config`, from a text; `place` names it in messages."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{place}: not valid TOML: {error}") from error
    config: TrainingConfig = keys.build(TrainingConfig, table, keys.Place(place, text))
    _check_together(config, place)
    return config


def _check_together(config: TrainingConfig, place: str) -> None:
    """Rules between keys."""
    d, f, p = config.data, config.features, config.loop
    highest = f.sample_rate_hz / 2
    keys.check("features.hop_s", f.hop_s, within(0.001, f.window_s), place)
    keys.check("features.coefficients", f.coefficients, within(1, f.mel_filters), place)
    keys.check("features.low_hz", f.low_hz, within(0, highest, open_end=True), place)
    keys.check("data.max_duration_s", d.max_duration_s, above(d.min_duration_s), place)
    keys.check("loop.epochs", p.epochs, at_least(0 if p.steps else 1), place)
    for label, value in (("data.weights", d.weights), ("data.max_hours", d.max_hours)):
        if value and len(value) != len(d.corpora):
            raise ConfigError(
                f"{place}: {label} has {len(value)} entries for {len(d.corpora)} named in data.corpora; give one "
                "for each"
            )
    if config.transfer.freeze_layers and not config.transfer.init_from:
        raise ConfigError(
            f"{place}: transfer.freeze_layers without transfer.init_from would freeze random weights"
        )
    if d.feature_cache_gb and changes_sound(config.augment):
        raise ConfigError(
            f"{place}: data.feature_cache_gb keeps features, and the changes of sound asked for make "
            "others in every epoch; set it to 0"
        )
    if set(config.transfer.freeze_layers) >= set(LAYERS):
        raise ConfigError(f"{place}: transfer.freeze_layers names all layers: nothing would be learnt")
    plain = [one.partition("@")[0] for one in d.corpora]
    twice = sorted({one for one in plain if plain.count(one) > 1})
    if twice:
        raise ConfigError(
            f"{place}: data.corpora names {twice[0]!r} twice; to hear it more often set data.weights"
        )


def config_text(config: TrainingConfig, comments: bool = False) -> str:
    """The configuration as TOML, every key written out, in the order of the dataclasses."""
    return keys.as_text(config, comments)


def example_text() -> str:
    """The text of config.example.toml: every key with its default and a comment."""
    return "# Every key of a training configuration, with its default.\n" + config_text(
        TrainingConfig(), comments=True
    )


def identity(config: TrainingConfig) -> str:
    """Hex SHA-256 of all keys that change what a run learns."""
    table = keys.as_table(config)
    for section, outside in _OUTSIDE_IDENTITY.items():
        table[section] = {one: value for one, value in table[section].items() if one not in outside}
    return hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()
