"""Looking into a finished language model: scores of sentences, and whether its parts are whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from corpora.text.normaliser import Refused
from lm.errors import VerificationError
from lm.model.folder import files_of, find_model_damage, read_manifest
from lm.perplexity import Perplexity
from lm.request import language_of
from lm.text.characters import normaliser_for, say_titles
from lm.units import scoring
from native import Alphabet, Scorer


def query(folder: Path, sentences: Sequence[str]) -> dict[str, Any]:
    """Scores of every word and sentence end (log10) and perplexities, counted as KenLM's query does.

    Text goes through the corpora's normaliser; what it refuses is scored nowhere and stands with its reason.
    Text for labels that are bytes is scored as it stands. Surrogates stand for bytes that are no UTF-8.
    Raises ScorerError.
    """
    scorer = Scorer.load(folder)
    language = language_of(read_manifest(folder).get("inputs", {}).get("settings", {}))
    score = scoring(scorer.score_sentence, scorer.info["unit"], scorer.alphabet)
    letters = Alphabet(read_manifest(folder)["lexicon"]["letters"]) if scorer.info["pronunciations"] else None
    total, results = Perplexity(), []
    for sentence in sentences:
        clean = _clean(sentence, letters or scorer.alphabet, language)
        if isinstance(clean, Refused):
            shown = sentence.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            results.append({"text": shown, "refused": clean.check, "reason": clean.reason, "words": []})
            continue
        scored = score(clean)
        one = Perplexity()
        one.add(scored)
        total.add(scored)
        words = [{"word": word, "log10": round(log10, 6), "oov": oov} for word, log10, oov in scored]
        row = {"text": clean, "refused": None, "log10": round(one.log10, 6), **one.as_json(), "words": words}
        results.append(row)
    refused = sum(row["refused"] is not None for row in results)
    return {**total.as_json(), "log10": round(total.log10, 6), "refused": refused, "sentences": results}


def _clean(sentence: str, alphabet: Alphabet, language: str) -> str | Refused:
    """A sentence as the model knows it, or why it cannot be scored."""
    if not sentence.isascii():
        try:
            sentence.encode("utf-8")
        except UnicodeEncodeError as error:
            return Refused("not_utf8", f"byte {error.start} of the line is no UTF-8; save the text as UTF-8")
    if alphabet.kind != "characters":
        return sentence
    labels = tuple(alphabet.labels)
    normalised = normaliser_for(labels, language).normalise(sentence)
    return normalised if isinstance(normalised, Refused) else say_titles(normalised.text, labels, language)


def verify(folder: Path) -> dict[str, Any]:
    """Compares every file with the manifest and loads the model. Raises VerificationError or ScorerError."""
    manifest = read_manifest(folder)
    damage = find_model_damage(folder, manifest, full=True)
    if damage:
        raise VerificationError(
            f"{'; '.join(one.reason for one in damage)}; an incomplete copy, a Git LFS pointer or damage: "
            "build the model again or copy it again"
        )
    Scorer.load(folder)
    return {
        "path": str(folder),
        "version": manifest["version"],
        "identity": manifest["identity"],
        "files": len(files_of(manifest)),
    }
