"""Utterances -> features in memory -> padded batches.

A Dataset holds the features of all its utterances in one array (float32, a two-hour corpus takes 36 MB),
the labels and the texts. It is made from clips: those of a published corpus (`clips_of`) or any in memory
(`Dataset.from_clips`). Rows that CTC cannot align (labels + adjacent repeats > frames), empty ones and
silent-as-digital-zero lengths are left out and counted by reason. Which rows form a batch is decided in
`batches.py`; audio is dropped after its features.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from training.errors import DataError
from training.network.config import FeatureConfig
from training.network.features import Float, Whitening, mfcc

if TYPE_CHECKING:
    from native import Alphabet
    from store.corpus import Corpus

log = logging.getLogger(__name__)
_COLUMNS = (
    "utterance_id",
    "corpus",
    "subset",
    "speaker_id",
    "gender",
    "audio",
    "sample_rate_hz",
    "duration_s",
    "text",
    "text_scoring",
)


@dataclass(frozen=True)
class Clip:
    """One utterance: its text, and mono samples (int16, or float32 in [-1, 1)) or what gives them."""

    utterance_id: str
    text: str
    rate_hz: int
    samples: npt.NDArray[np.generic] | Callable[[], npt.NDArray[np.generic]]
    speaker_id: str = ""
    features: Float | None = None  # float32 [frames, coefficients] of a set without sound

    def sound(self) -> npt.NDArray[np.generic]:
        """The samples, [samples]."""
        return self.samples() if callable(self.samples) else self.samples


@dataclass(frozen=True)
class Batch:
    """Padded arrays of one step.

    Attributes:
        features: float32 [batch, frames, coefficients], whitened, zeros in the padding.
        lengths: int32 [batch], frames of each utterance.
        labels: int32 [batch, longest label row], padded with -1.
        utterances: int64 [batch], rows of the Dataset.
    """

    features: Float
    lengths: npt.NDArray[np.int32]
    labels: npt.NDArray[np.int32]
    utterances: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Dataset:
    """Features and labels of many utterances.

    Attributes:
        values: float32 [total frames, coefficients], not whitened.
        starts: int64 [utterances * variants + 1]; frames of row r are values[starts[r]:starts[r + 1]]; row =
            utterance * variants + variant, a variant being a playing speed.
        labels: per utterance its label indices, int32.
        left_out: utterances not taken, by reason.
    """

    utterance_ids: list[str]
    speaker_ids: list[str]
    texts: list[str]
    labels: list[npt.NDArray[np.int32]]
    values: Float
    starts: npt.NDArray[np.int64]
    variants: int = 1
    hours: float = 0.0
    left_out: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.utterance_ids)

    @property
    def frames(self) -> npt.NDArray[np.int64]:
        """Frames [utterances, variants]."""
        return np.diff(self.starts).reshape(len(self), self.variants)

    def row(self, index: int) -> Float:
        """Features of one row, [frames, coefficients]."""
        rows: Float = self.values[self.starts[index] : self.starts[index + 1]]
        return rows

    @classmethod
    def from_clips(
        cls,
        clips: Iterable[Clip],
        alphabet: Alphabet,
        features: FeatureConfig,
        speeds: Sequence[float] | None = None,
    ) -> Dataset:
        """Compute the features of clips, in order, with as many threads as there are cores.

        With `speeds` the set is made for learning: what CTC cannot learn is left out. Without, every clip
        is kept as it was recorded and has no labels: a set to be measured on.

        Raises:
            AlphabetError: a text holds a character outside the alphabet (the corpora stage refuses such
            rows).
        """
        kinds = len(speeds or (1.0,))
        builder = _Builder(alphabet if speeds is not None else None, kinds)

        def compute(clip: Clip) -> tuple[Clip, list[Float], float]:
            if clip.features is not None:
                return clip, [_as_wide(clip, features)] * kinds, len(clip.features) * features.hop_s
            samples = clip.sound()
            rows = [mfcc(samples, clip.rate_hz * speed, features) for speed in speeds or (1.0,)]
            return clip, rows, len(samples) / clip.rate_hz

        for clip, rows, duration_s in _in_order(compute, clips):
            builder.add(clip, rows, duration_s)
        return builder.finish(features.coefficients)

    def batch(self, rows: npt.NDArray[np.int64], whitening: Whitening) -> Batch:
        """Cut, whiten and pad rows (see `starts`)."""
        utterances = rows // self.variants
        cut = [self.row(int(row)) for row in rows]
        return padded_batch(cut, [self.labels[u] for u in utterances], utterances, whitening)


def padded_batch(
    rows: Sequence[Float],
    labels: Sequence[npt.NDArray[np.int32]],
    utterances: npt.NDArray[np.int64],
    whitening: Whitening,
) -> Batch:
    """Features [frames, coefficients] of some utterances, whitened and padded to the longest."""
    lengths = np.array([len(row) for row in rows], np.int32)
    padded = np.zeros((len(rows), int(lengths.max()), rows[0].shape[1]), np.float32)
    for place, row in enumerate(rows):
        padded[place, : lengths[place]] = whitening.apply(row)
    spelled = np.full((len(rows), max(map(len, labels))), -1, np.int32)
    for place, label in enumerate(labels):
        spelled[place, : len(label)] = label
    return Batch(padded, lengths, spelled, utterances)


class _Builder:
    """Collects rows and leaves out, with a count, those that cannot be learnt from."""

    def __init__(self, alphabet: Alphabet | None, variants: int) -> None:
        self._alphabet = alphabet
        self._variants = variants
        self._clips: list[Clip] = []
        self._labels: list[npt.NDArray[np.int32]] = []
        self._rows: list[Float] = []
        self._seconds = 0.0
        self._left_out: Counter[str] = Counter()

    def add(self, clip: Clip, rows: list[Float], duration_s: float) -> None:
        labels = np.zeros(0, np.int32)
        if self._alphabet is not None:
            labels = np.asarray(self._alphabet.encode(clip.text), np.int32)
            reason = ctc_refusal(labels, min(len(row) for row in rows))
            if reason is None and not all(np.isfinite(row).all() for row in rows):
                reason = "features are not finite"
            if reason is not None:
                self._left_out[reason] += 1
                return
        self._clips.append(
            Clip(clip.utterance_id, clip.text, clip.rate_hz, np.zeros(0, np.int16), clip.speaker_id)
        )
        self._labels.append(labels)
        self._rows.extend(rows)
        self._seconds += duration_s

    def finish(self, coefficients: int) -> Dataset:
        starts = np.zeros(len(self._rows) + 1, np.int64)
        np.cumsum([len(row) for row in self._rows], out=starts[1:])
        values = np.concatenate(self._rows) if self._rows else np.zeros((0, coefficients), np.float32)
        return Dataset(
            utterance_ids=[clip.utterance_id for clip in self._clips],
            speaker_ids=[clip.speaker_id for clip in self._clips],
            texts=[clip.text for clip in self._clips],
            labels=self._labels,
            values=values,
            starts=starts,
            variants=self._variants,
            hours=self._seconds / 3600,
            left_out=dict(sorted(self._left_out.items())),
        )


def _as_wide(clip: Clip, config: FeatureConfig) -> Float:
    """The features of a clip that has no sound.

    Raises:
        DataError: the network was made for another width.
    """
    if clip.features is None or clip.features.shape[1] != config.coefficients:
        width = 0 if clip.features is None else clip.features.shape[1]
        raise DataError(
            f"{clip.utterance_id}: {width} values a frame where the network hears {config.coefficients}"
        )
    return clip.features


def ctc_refusal(labels: npt.NDArray[np.int32], frames: int) -> str | None:
    """Why CTC cannot learn a row, or None: it needs a frame per label and one between equal neighbours."""
    if len(labels) == 0:
        return "empty text"
    if frames == 0:
        return "shorter than one window"
    needed = len(labels) + int(np.count_nonzero(labels[1:] == labels[:-1]))
    return "more labels than frames" if needed > frames else None


def usable_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0))


def _in_order(function: Callable[[Clip], Any], clips: Iterable[Clip]) -> Iterator[Any]:
    """Map with threads, in order, never more than some hundred clips ahead."""
    source = iter(clips)
    with ThreadPoolExecutor(usable_cores()) as pool:
        while chunk := list(islice(source, 256)):
            yield from pool.map(function, chunk)


@dataclass(frozen=True)
class SplitChoice:
    """Which rows of a published corpus: a split, official parts of it, and limits of duration in seconds."""

    split: str | None = None
    subsets: tuple[str, ...] = ()
    min_duration_s: float = 0.0
    max_duration_s: float = float("inf")

    def takes(self, row: Mapping[str, Any]) -> bool:
        """Whether a row (subset, duration_s) of the split belongs to the choice."""
        if self.subsets and row["subset"] not in self.subsets:
            return False
        return bool(self.min_duration_s <= row["duration_s"] <= self.max_duration_s)


def clips_of(corpus: Corpus, choice: SplitChoice, scoring: bool = False) -> Iterator[Clip]:
    """The chosen rows of a published corpus as clips, in the corpus' order; audio is decoded when it is
    asked for.

    With `scoring` the text is text_scoring where the corpus has one.
    """
    from training.network.feed.feature_folder import FeatureFolder

    if isinstance(corpus, FeatureFolder):
        for row in corpus.chosen(choice.split):
            nothing = np.zeros(0, np.int16)
            yield Clip(row["id"], row["text"], 1, nothing, row["speaker"], features=row["features"])
        return
    for batch in corpus.batches(split=choice.split, columns=list(_COLUMNS)):
        for row in batch.to_pylist():
            if not choice.takes(row):
                continue
            yield Clip(
                utterance_id=row["utterance_id"],
                text=row["text_scoring"] if scoring and row["text_scoring"] is not None else row["text"],
                rate_hz=row["sample_rate_hz"],
                samples=_Decoder(row["audio"]["bytes"], row["utterance_id"]),
                speaker_id=row["speaker_id"] or "",
            )


@dataclass(frozen=True)
class _Decoder:
    """FLAC bytes that decode when called."""

    content: bytes
    utterance_id: str

    def __call__(self) -> npt.NDArray[np.generic]:
        from native.errors import FlacError
        from native.flac import decode

        try:
            samples: npt.NDArray[np.generic] = decode(self.content).samples[:, 0]
        except FlacError as error:
            raise DataError(
                f"{self.utterance_id}: its audio in the shard cannot be decoded: {error}"
            ) from error
        return samples


def evenly(items: list[Any], limit: int) -> list[Any]:
    """At most `limit` items, spread over the whole list; all when limit is 0."""
    if not limit or len(items) <= limit:
        return items
    return [items[index * len(items) // limit] for index in range(limit)]
