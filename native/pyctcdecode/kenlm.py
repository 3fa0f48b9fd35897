"""The part of the module `kenlm` that decoders use: a model is asked for one word after a state.

Scores are log10, as there. Models are read by the library's own KenLM.
"""

from __future__ import annotations

import os

from .. import _core

__all__ = ["LanguageModel", "Model", "State"]


class State:
    """What the model remembers of the words before. A new one knows nothing and is filled by a model."""

    __slots__ = ("_bytes",)

    def __init__(self) -> None:
        self._bytes = b""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, State) and other._bytes == self._bytes

    def __hash__(self) -> int:
        return hash(self._bytes)

    def __copy__(self) -> State:
        copied = State()
        copied._bytes = self._bytes
        return copied

    def __deepcopy__(self, memo: object) -> State:
        return self.__copy__()


class Model:
    """A KenLM binary or an ARPA file.

    Raises:
        OSError: the file is missing, damaged or no language model.
    """

    def __init__(self, path: str | os.PathLike[str] | bytes, config: object = None) -> None:
        from ..errors import ScorerError

        name = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 (a path may be bytes)
        try:
            self._model = _core.LanguageModel.load(name)
        except ScorerError as error:
            raise OSError(f"Cannot read model {name!r} ({error})") from error
        self.path = os.fsencode(name)

    @property
    def order(self) -> int:
        """Words of the longest n-gram."""
        return self._model.order

    def __contains__(self, word: str | bytes) -> bool:
        return self._model.knows(os.fsdecode(word))

    def BeginSentenceWrite(self, state: State) -> None:
        """Makes it the state before a sentence's first word."""
        state._bytes = self._model.start_state()

    def NullContextWrite(self, state: State) -> None:
        """Makes it the state that knows no words."""
        state._bytes = self._model.empty_state()

    def BaseScore(self, in_state: State, word: str, out_state: State) -> float:
        """log10 of the word's probability after `in_state`; `out_state` becomes the state after it."""
        score, out_state._bytes = self._model.score_word(in_state._bytes, word)
        return score

    def score(self, sentence: str, bos: bool = True, eos: bool = True) -> float:
        """log10 of the whole sentence, from its beginning (`bos`) to its end (`eos`)."""
        state, total = State(), 0.0
        (self.BeginSentenceWrite if bos else self.NullContextWrite)(state)
        for word in [*sentence.split(), "</s>"] if eos else sentence.split():
            after = State()
            total += self.BaseScore(state, word, after)
            state = after
        return total

    def perplexity(self, sentence: str) -> float:
        """Of the sentence, its end counted as a word."""
        words = len(sentence.split()) + 1
        return float(10.0 ** (-self.score(sentence) / words))


LanguageModel = Model
