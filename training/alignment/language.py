"""A language model of one script, for hearing what was read from it: built in a moment, thrown away after."""

from __future__ import annotations

from pathlib import Path

from lm.build import build
from lm.request import BuildRequest
from native import Alphabet
from training.alignment.script import Script

_ORDER = 4
_LINE_WORDS = 12  # sentences of the model: scripts have no reliable ends of sentences


def build_script_model(script: Script, alphabet: Alphabet, folder: Path, language: str = "en") -> Path:
    """Write a language model of the script's words below `folder`; its place.

    Args:
        alphabet: the network's, which a model must be of. language: of the script.

    Raises:
        LanguageModelError: the words cannot make a model.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = folder / "script.txt"
    words = script.words
    # Every word once at either end of a line and in the middle of another: n-grams across all lines are learnt.
    lines = [
        " ".join(words[start : start + 2 * _LINE_WORDS])
        for start in range(0, max(1, len(words)), _LINE_WORDS)
    ]
    text.write_text("\n".join(lines) + "\n", encoding="utf-8")
    out = folder / "model"
    alphabet.save(folder / "alphabet.txt")
    empty = folder / "store"  # the published corpora have no say in it
    build(
        BuildRequest(
            out=out,
            text=(text,),
            corpora=(),
            order=_ORDER,
            prune=(),
            keep_held_out=True,
            alphabet=folder / "alphabet.txt",
            language=language,
            store=empty,
        )
    )
    return out
