"""A released model as the runtime needs it: networks, labels, language model, weights of the search.

Opens a package's folder (training/release/package.py wrote it) without TensorFlow and without the store. What does not
belong together is refused in a sentence.
"""

from __future__ import annotations

import json
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
        known = {field.name for field in fields(FeatureConfig)}
        front = {key: value for key, value in manifest["front_end"].items() if key in known}
        decoder = manifest["decoder"] or {}
        return cls(
            id=manifest["model"],
            path=folder,
            features=FeatureConfig(**front),
            labels=tuple(manifest["labels"]),
            weights=Weights(**decoder),
            language=manifest["language"],
            manifest=manifest,
        )

    def network(self, form: str = "int8") -> Path:
        """The ONNX file of a form."""
        return self.path / NETWORKS[form]

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
