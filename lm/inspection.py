"""Looking into a finished language model: scores of sentences, and whether its parts are whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from corpora.text.normaliser import Normalised
from lm.build import FILES, read_manifest
from lm.errors import VerificationError
from lm.perplexity import Perplexity
from lm.text.cleaning import normaliser_for
from lm.units import scoring
from native import Scorer
from store.writing import sha256_file


def query(folder: Path, sentences: Sequence[str]) -> dict[str, Any]:
    """Scores of every word and sentence end (log10) and perplexities, counted as KenLM's query does.

    Text goes through the corpora's normaliser; what it refuses, and text for labels that are bytes, is scored
    as it stands. Raises ScorerError.
    """
    scorer = Scorer.load(folder)
    letters = scorer.alphabet.kind == "characters"
    normaliser = normaliser_for(tuple(scorer.alphabet.labels)) if letters else None
    score = scoring(scorer.score_sentence, scorer.info["unit"], scorer.alphabet)
    total, results = Perplexity(), []
    for sentence in sentences:
        normalised = normaliser.normalise(sentence) if normaliser else None
        text = normalised.text if isinstance(normalised, Normalised) else sentence
        scored = score(text)
        one = Perplexity()
        one.add(scored)
        total.add(scored)
        words = [{"word": word, "log10": round(log10, 6), "oov": oov} for word, log10, oov in scored]
        results.append({"text": text, "log10": round(one.log10, 6), **one.as_json(), "words": words})
    return {**total.as_json(), "log10": round(total.log10, 6), "sentences": results}


def verify(folder: Path) -> dict[str, Any]:
    """Compares every file with the manifest and loads the model. Raises VerificationError or ScorerError."""
    manifest = read_manifest(folder)
    for name in FILES:
        path, expected = folder / name, manifest["files"][name]
        if not path.is_file():
            raise VerificationError(f"{path} is missing; build the model again")
        if path.stat().st_size != expected["bytes"]:
            raise VerificationError(
                f"{path} has {path.stat().st_size} bytes instead of {expected['bytes']}: the copy is "
                "incomplete or a Git LFS pointer; build the model again or copy it again"
            )
        if sha256_file(path) != expected["sha256"]:
            raise VerificationError(f"{path} is not the file that was built (hash differs); build it again")
    Scorer.load(folder)
    return {
        "path": str(folder),
        "version": manifest["version"],
        "identity": manifest["identity"],
        "files": len(FILES),
    }
