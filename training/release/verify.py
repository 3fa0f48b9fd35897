"""Whether an exported form computes what the network computes, on real utterances, before it is published.

The network's own outputs (TensorFlow, float) are the measure. A float form must agree in every frame to a
thousandth of a nat where it matters; a form in bytes must choose the same label in nearly every frame, and what
it costs in words is said in figures. Nothing is exported here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scoring.wer import count_errors
from store.store import Store
from training.decoding.acoustic import LogProbabilities, Network
from training.decoding.weights import alphabet_of_network
from training.errors import DataError
from training.network.dataset import Dataset, SplitChoice, evenly
from training.network.features import Float
from training.release.errors import ExportError
from training.runs import chosen_clips, corpora_of, row_ids

UTTERANCES = 64
FLOAT_TOLERANCE = 1e-3  # nats, for labels of a probability above one in a thousand
BYTES_AGREEMENT = 0.9
_AUDIBLE = -6.9

Forward = Callable[[Float, npt.NDArray[np.int32]], Float]
"""features [batch, frames, coefficients] before whitening, lengths [batch] -> log-probabilities."""


@dataclass(frozen=True)
class Agreement:
    """How an exported form compares with the network.

    Attributes:
        largest_difference: of any audible label in any frame, nats.
        same_label: share of frames with the same likeliest label.
        wer_network, wer_form: greedy word error rates against the references.
    """

    utterances: int
    frames: int
    largest_difference: float
    same_label: float
    wer_network: float
    wer_form: float

    def as_json(self) -> dict[str, Any]:
        """Rounded, for manifests."""
        return {key: round(value, 6) for key, value in asdict(self).items()}


@dataclass(frozen=True)
class Reference:
    """Real utterances with what the network says of them."""

    network: Network
    features: tuple[Float, ...]
    log_probs: tuple[Float, ...]
    texts: tuple[str, ...]

    @classmethod
    def of(cls, network: Network, store: Store, count: int = UTTERANCES) -> Reference:
        """Some utterances of dev (else of test or train) of the corpora the network was trained on.

        Raises:
            DataError: none of these corpora is in the store any more.
        """
        corpora = corpora_of(network.config, store)
        for split in (network.config.data.dev_split, "test", network.config.data.train_split):
            choice = SplitChoice(split)
            ids = evenly(row_ids(corpora, choice), count)
            if ids:
                break
        else:
            raise DataError(
                "no utterance of the network's corpora is in the store: nothing to check the export on"
            )
        clips = list(chosen_clips(corpora, choice, {name for name, _ in ids}))
        return cls.of_dataset(
            network, Dataset.from_clips(clips, alphabet_of_network(network.labels), network.config.features)
        )

    @classmethod
    def of_dataset(cls, network: Network, dataset: Dataset) -> Reference:
        """Any utterances."""
        rows: dict[int, Float] = {}
        for indices, log_probs, lengths in LogProbabilities(network).of_dataset(dataset):
            for place, index in enumerate(indices):
                rows[int(index)] = log_probs[place, : lengths[place]]
        order = sorted(rows)
        return cls(
            network,
            tuple(dataset.row(index) for index in order),
            tuple(rows[index] for index in order),
            tuple(dataset.texts[index] for index in order),
        )

    def compare(self, forward: Forward, batch: int = 8) -> Agreement:
        """What a form answers for the same features, in padded batches."""
        import native

        alphabet = alphabet_of_network(self.network.labels)
        largest, same, frames = 0.0, 0, 0
        texts: dict[str, list[str]] = {"network": [], "form": []}
        for start in range(0, len(self.features), batch):
            answers = _run(forward, self.features[start : start + batch])
            for answer, expected in zip(answers, self.log_probs[start : start + batch], strict=True):
                audible = np.maximum(answer, expected) > _AUDIBLE
                largest = max(largest, float(np.abs(answer - expected)[audible].max()))
                same += int((answer.argmax(-1) == expected.argmax(-1)).sum())
                frames += len(expected)
                for name, values in (("network", expected), ("form", answer)):
                    found = native.greedy(np.ascontiguousarray(values[None]), [len(values)], alphabet)
                    texts[name].append(found[0].text)
        rates = {name: count_errors(list(self.texts), found).wer for name, found in texts.items()}
        return Agreement(
            len(self.features), frames, largest, same / max(frames, 1), rates["network"], rates["form"]
        )


def _run(forward: Forward, features: Sequence[Float]) -> list[Float]:
    lengths = np.array([len(one) for one in features], np.int32)
    padded = np.zeros((len(features), int(lengths.max()), features[0].shape[1]), np.float32)
    for place, one in enumerate(features):
        padded[place, : len(one)] = one
    log_probs = forward(padded, lengths)
    return [log_probs[place, :length] for place, length in enumerate(lengths)]


def check(agreement: Agreement, form: str, exact: bool) -> None:
    """Refuse a form that is not the network.

    Raises:
        ExportError: says by how much it is off.
    """
    if exact and agreement.largest_difference > FLOAT_TOLERANCE:
        raise ExportError(
            f"{form}: differs from the network by up to {agreement.largest_difference:.4f} nats "
            f"(at most {FLOAT_TOLERANCE}): not published"
        )
    if not exact and agreement.same_label < BYTES_AGREEMENT:
        raise ExportError(
            f"{form}: chooses the network's label in only {agreement.same_label:.1%} of the frames "
            f"(at least {BYTES_AGREEMENT:.0%}): not published"
        )
