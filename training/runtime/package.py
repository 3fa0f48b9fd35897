"""A released model as the runtime needs it: networks, labels, language model, weights of the search.

Opens a package's folder (training/release/package.py wrote it) without TensorFlow and without the store. What does not
belong together is refused in a sentence.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.decoding.weights import Weights, alphabet_of_network
from training.errors import DataError
from training.network.config import FeatureConfig
from training.runtime.errors import ModelMismatchError

if TYPE_CHECKING:
    from native import Alphabet, Scorer

FORMAT = 1
NETWORKS = {"float": "network.onnx", "int8": "network-int8.onnx"}


@dataclass(frozen=True)
class Package:
    """What model.json says, as far as recognising needs it."""

    id: str
    path: Path
    features: FeatureConfig
    labels: tuple[str, ...]
    weights: Weights
    language: str
    manifest: dict[str, Any]

    @classmethod
    def open(cls, folder: Path) -> Package:
        """Read a package.

        Raises:
            ModelMismatchError: no package, or of a version that this code does not know.
        """
        path = folder / "model.json"
        try:
            manifest = json.loads(path.read_bytes())
        except FileNotFoundError as error:
            raise ModelMismatchError(f"{folder} is no packaged model: {path.name} is missing") from error
        except ValueError as error:
            raise ModelMismatchError(f"{path} is damaged: {error}") from error
        if manifest.get("kind") != "model" or manifest.get("format") != FORMAT:
            raise ModelMismatchError(
                f"{path}: a model of format {manifest.get('format')!r}; this version reads format {FORMAT}"
            )
        decoder = manifest["decoder"] or {}
        return cls(
            id=manifest["model"],
            path=folder,
            features=_front_end(manifest["front_end"]),
            labels=tuple(manifest["labels"]),
            weights=Weights(**decoder),
            language=manifest["language"],
            manifest=manifest,
        )

    def network(self, form: str = "int8") -> Path:
        """The ONNX file of a form."""
        return self.path / NETWORKS[form]

    def refuse_stranger(self, facts: Mapping[str, Any], file: Path) -> None:
        """Compare what a network's file says of itself (labels, front end) with the package.

        Raises:
            ModelMismatchError: the network writes another alphabet, or hears another rate or other frames.
        """
        labels, front = facts.get("labels"), facts.get("front_end")
        if labels is None or front is None:
            raise ModelMismatchError(
                f"{file}: does not say which labels it writes: not a network that `release` wrote"
            )
        if tuple(labels) != self.labels:
            raise ModelMismatchError(
                f"{file}: its alphabet has {len(labels)} labels and is another than model {self.id}'s of "
                f"{len(self.labels)}: the file is another model's; make the package again"
            )
        theirs = _front_end(front)
        for name, ours in vars(self.features).items():
            if getattr(theirs, name) != ours:
                raise ModelMismatchError(
                    f"{file}: hears with {name} {getattr(theirs, name)}, model {self.id} with {ours}: the file is another "
                    "model's; make the package again"
                )

    def scorer(self, folder: Path | None = None) -> Scorer | None:
        """The package's language model with its weights, or the one in `folder`; None where there is none.

        Raises:
            ModelMismatchError: it is of another alphabet, or not the one the package was made with.
        """
        import native

        place = folder or self.path / "language_model"
        if folder is None and not place.is_dir():
            return None
        scorer = native.Scorer.load(place, alpha=self.weights.alpha, beta=self.weights.beta)
        made_with = (self.manifest["language_model"] or {}).get("lm_hash")
        if folder is None and scorer.lm_hash != made_with:
            raise ModelMismatchError(
                f"{place}: not the language model that model {self.id} was made with: make the package again, or name "
                "one with --lm"
            )
        try:
            alphabet_of_network(self.labels, scorer)
        except DataError as error:
            raise ModelMismatchError(f"{place}: {error}") from error
        return scorer

    def alphabet(self) -> Alphabet:
        """The network's alphabet, blank last."""
        return alphabet_of_network(self.labels)


def _front_end(described: Mapping[str, Any]) -> FeatureConfig:
    known = {field.name for field in fields(FeatureConfig)}
    return FeatureConfig(**{key: value for key, value in described.items() if key in known})
