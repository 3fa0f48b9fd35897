"""The lexicon file and the language model of torchaudio's call, as this library's alphabet and scorer."""

from __future__ import annotations

import logging
import math
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .. import _core
from ..command import wheel
from ..errors import ScorerError

_log = logging.getLogger(__name__)
_PIECE = "▁"


def load_tokens(tokens: str | os.PathLike[str] | Sequence[str]) -> list[str]:
    """The tokens in the order of the network's outputs: a list, or a file with one a line.

    Raises:
        ValueError: a line names several tokens for one output. OSError: the file cannot be read.
    """
    if not isinstance(tokens, (str, os.PathLike)):
        return [str(token) for token in tokens]
    found = []
    for number, line in enumerate(Path(tokens).read_text(encoding="utf-8").splitlines(), 1):
        words = line.split()
        if len(words) > 1:
            raise ValueError(
                f"{tokens}:{number} names {len(words)} tokens for one output; one is searched for here"
            )
        found += words
    return found


def alphabet_of(tokens: Sequence[str], blank_token: str, sil_token: str) -> _core.Alphabet:
    """Raises ValueError: blank or silence is not among the tokens, or the tokens are pieces of words."""
    for name, token in (("blank_token", blank_token), ("sil_token", sil_token)):
        if token not in tokens:
            raise ValueError(f"{name} {token!r} is not among the {len(tokens)} tokens")
    if any(token.startswith(_PIECE) and token != _PIECE for token in tokens):
        raise ValueError(
            "these tokens are pieces of words: decode them with native.decode and Alphabet.pieces"
        )
    blank = tokens.index(blank_token)
    others = [" " if token == sil_token else token for place, token in enumerate(tokens) if place != blank]
    return _core.Alphabet(others, blank)


def load_lexicon(path: str | os.PathLike[str], sil_token: str) -> list[str]:
    """The words of a lexicon file, `word token token … |` a line.

    Raises:
        ValueError: a word is not spelled by its letters, in order. OSError: the file cannot be read.
    """
    words: dict[str, None] = {}
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        word, *spelling = line.split() or [""]
        letters = [token for token in spelling if token != sil_token]
        if word and "".join(letters) != word:
            raise ValueError(
                f"{path}:{number} spells {word!r} as {' '.join(letters)!r}; here a word is spelled by its letters, in the "
                "case of the tokens"
            )
        if word:
            words[word] = None
    return list(words)


def scorer_of(
    words: Sequence[str], alphabet: _core.Alphabet, model: str | None, weights: tuple[float, float]
) -> _core.Scorer:
    """The lexicon of `words` beside a KenLM model (ARPA or binary; None: every word is as good).

    Args:
        weights: of the model's log10 probabilities, and per word.

    Raises:
        ScorerError: the model cannot be read, or none of the words can stand in the lexicon.
    """
    alpha = weights[0] / math.log(10) if model is not None else 0.0
    with tempfile.TemporaryDirectory(prefix="speechmill-") as name:
        folder = Path(name)
        _put_model(folder, words, model)
        alphabet.save(folder / "alphabet.txt")
        told = _core.build_lexicon_trie(words, alphabet, folder / "lm.binary", folder / "lexicon.trie", {})
        left_out = len(words) - int(told["words"])
        if left_out:
            _log.warning(
                "%d of %d words of the lexicon are left out: the language model does not know them, or the tokens do not "
                "spell them", left_out, len(words),
            )  # fmt: skip
        return _core.Scorer.load(folder, alpha, weights[1])  # its files stay mapped when the folder goes


def _put_model(folder: Path, words: Sequence[str], model: str | None) -> None:
    arpa = folder / "lm.arpa"
    if model is None:
        _write_even(arpa, words)
    else:
        path = Path(model).absolute()
        with path.open("rb") as stream:
            is_binary = stream.read(5) == b"mmap "
        if is_binary:
            (folder / "lm.binary").symlink_to(path)
            return
        arpa = path
    program = wheel.program("build_binary")
    if program is None:
        raise ScorerError(
            f"{arpa} is no KenLM binary, and build_binary to make one is not built: run `make setup`"
        )
    command = [str(program), "probing", str(arpa), str(folder / "lm.binary")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip("*- ") not in ("", "ERROR")]
        raise ScorerError(
            f"language model {arpa} cannot be read by KenLM: {(said or ['it said nothing'])[-1]}"
        )


def _write_even(arpa: Path, words: Sequence[str]) -> None:
    """A model in which all words are as probable; its weight is 0. KenLM reads none of order 1."""
    lines = [f"\\data\\\nngram 1={len(words) + 3}\nngram 2=1\n\n\\1-grams:"]
    lines += [f"-1\t{word}\t0" for word in ("<unk>", "<s>", "</s>", *words)]
    arpa.write_text("\n".join([*lines, "\n\\2-grams:\n-1\t<s> </s>\n\n\\end\\\n"]), encoding="utf-8")
