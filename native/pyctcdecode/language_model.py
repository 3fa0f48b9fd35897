"""The n-gram model of a search, with what it says of words it does not know, and the hot words."""

from __future__ import annotations

import abc
import functools
import json
import logging
import re
import shutil
import sys
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from .constants import (
    AVG_TOKEN_LEN,
    DEFAULT_ALPHA,
    DEFAULT_BETA,
    DEFAULT_HOTWORD_WEIGHT,
    DEFAULT_SCORE_LM_BOUNDARY,
    DEFAULT_UNK_LOGP_OFFSET,
    LOG_BASE_CHANGE_FACTOR,
)
from .kenlm import Model
from .prefixes import CharTrie

_FEW_WORDS = 1000
_SMALL_SHARE = 0.1
_MODEL_ENDINGS = (".arpa", ".bin", ".binary")
_log = logging.getLogger(__name__)


class AbstractLMState(abc.ABC):  # noqa: B024 (a family, not a protocol)
    """What a model remembers after a word."""

    def get_mp_safe_state(self) -> AbstractLMState | None:
        """What of it may go to another process: nothing, unless a subclass knows better."""
        return None


class KenlmState(AbstractLMState):
    """The state of one KenLM model."""

    def __init__(self, state: Any) -> None:
        self._state = state

    @property
    def state(self) -> Any:
        """The model's own state."""
        return self._state


class MultiLanguageModelState(AbstractLMState):
    """The states of several models, in their order."""

    def __init__(self, states: Sequence[AbstractLMState]) -> None:
        self._states = states

    @property
    def states(self) -> Sequence[AbstractLMState]:
        """One a model."""
        return self._states


def load_unigram_set_from_arpa(arpa_path: str) -> set[str]:
    """The words of an ARPA file; what has no back-off weight (the sentence's end, say) is none.

    Raises:
        ValueError: there are none.
    """
    words = set()
    with Path(arpa_path).open(encoding="utf-8") as lines:
        in_unigrams = False
        for raw in lines:
            line = raw.strip()
            if line.startswith("\\"):
                if in_unigrams:
                    break
                in_unigrams = line == "\\1-grams:"
                continue
            fields = line.split("\t")
            if in_unigrams and len(fields) == 3:
                words.add(fields[1])
    if not words:
        raise ValueError(f"{arpa_path} has no 1-grams with back-off weights: is it an ARPA file?")
    return words


class HotwordScorer:
    """What hot words are worth, whole and begun.

    Args:
        match_ptn: finds whole hot words in a text. char_trie: their beginnings. weight: of one word, ln.
    """

    def __init__(
        self, match_ptn: re.Pattern[str], char_trie: Any, weight: float = DEFAULT_HOTWORD_WEIGHT
    ) -> None:
        self._match_ptn = match_ptn
        self._char_trie = char_trie
        self._weight = weight
        self.words: list[str] | None = None  # where `build_scorer` made it

    def __contains__(self, item: str) -> bool:
        return bool(self._char_trie.has_node(item) > 0)

    def score(self, text: str) -> float:
        """Of all hot words in a text of whole words."""
        return self._weight * len(self._match_ptn.findall(text))

    def score_partial_token(self, token: str) -> float:
        """Of a word that is not finished: its share of the shortest hot word that begins so."""
        if token not in self:
            return 0.0
        shortest = next(iter(self._char_trie.iterkeys(token, shallow=True)))
        return self._weight * len(token) / len(shortest)

    @classmethod
    def build_scorer(
        cls, hotwords: Iterable[str] | None = None, weight: float = DEFAULT_HOTWORD_WEIGHT
    ) -> HotwordScorer:
        """For words; of phrases every word counts by itself."""
        words = sorted(
            {word for phrase in hotwords or () for word in phrase.split()}, key=lambda w: (len(w), w)
        )
        either = "|".join(re.escape(word) for word in reversed(words))
        pattern = re.compile(rf"(?<!\S)(?:{either})(?!\S)" if words else r"(?!)")
        scorer = cls(pattern, CharTrie(words), weight)
        scorer.words = words
        return scorer


class AbstractLanguageModel(abc.ABC):
    """What the search asks of a model; derive from it to bring one of your own."""

    @property
    @abc.abstractmethod
    def order(self) -> int:
        """Words of the longest n-gram."""

    @abc.abstractmethod
    def get_start_state(self) -> AbstractLMState:
        """The state before the first word."""

    @abc.abstractmethod
    def score_partial_token(self, partial_token: str) -> float:
        """ln, of a word that is not finished."""

    @abc.abstractmethod
    def score(
        self, prev_state: AbstractLMState, word: str, is_last_word: bool = False
    ) -> tuple[float, AbstractLMState]:
        """ln with the weights applied, of a word after a state; and the state after it."""

    def save_to_dir(self, filepath: str) -> None:
        """Saves it. Raises TypeError: this kind cannot be saved."""
        raise TypeError(f"{type(self).__name__} cannot be saved to a folder")

    @classmethod
    def load_from_dir(cls, filepath: str) -> AbstractLanguageModel:
        """Loads it. Raises TypeError: this kind cannot be loaded."""
        raise TypeError(f"{cls.__name__} cannot be loaded from a folder")

    def reset_params(self, **params: Any) -> None:  # noqa: B027 (a model without weights has nothing to do)
        """Changes parameters in place; of those it does not have, nothing."""


class LanguageModel(AbstractLanguageModel):
    """A KenLM model with its weights.

    Args:
        kenlm_model: of `speechmill.pyctcdecode.kenlm`, or of the module `kenlm`. unigrams: the words there are; None = not
        known, every word being begun is taken for unknown. alpha: weight of the model. beta: ln, for every word.
        unk_score_offset: log10, for unknown words. score_boundary: whether sentences begin and end.
    """

    JSON_ATTRS = ("alpha", "beta", "unk_score_offset", "score_boundary")
    _ATTRS_FILE, _UNIGRAMS_FILE = "attrs.json", "unigrams.txt"

    def __init__(
        self,
        kenlm_model: Any,
        unigrams: Collection[str] | None = None,
        alpha: float = DEFAULT_ALPHA,
        beta: float = DEFAULT_BETA,
        unk_score_offset: float = DEFAULT_UNK_LOGP_OFFSET,
        score_boundary: bool = DEFAULT_SCORE_LM_BOUNDARY,
    ) -> None:
        self._kenlm_model = kenlm_model
        self._state_class = sys.modules[type(kenlm_model).__module__].State
        self._unigram_set: set[str] = set() if unigrams is None else _known(unigrams, kenlm_model)
        self._has_words = unigrams is not None
        if unigrams is None:
            _log.warning("no unigrams are given: every word being begun is taken for unknown")
        self.alpha, self.beta = alpha, beta
        self.unk_score_offset, self.score_boundary = unk_score_offset, score_boundary

    def reset_params(self, **params: Any) -> None:
        """Changes alpha, beta, unk_score_offset or score_boundary; None leaves one as it is.

        Raises:
            ValueError: a weight is no float, or score_boundary no bool.
        """
        for name in self.JSON_ATTRS:
            value = params.get(name)
            kind = bool if name == "score_boundary" else float
            if value is None:
                continue
            if not isinstance(value, kind):
                raise ValueError(f"{name} must be a {kind.__name__}, not {type(value).__name__}")
            setattr(self, name, value)

    @property
    def order(self) -> int:
        """Words of the longest n-gram."""
        return int(self._kenlm_model.order)

    @property
    def known_words(self) -> list[str] | None:
        """The words there are, in order; None where they are not known."""
        return sorted(self._unigram_set) if self._has_words else None

    @functools.cached_property
    def _char_trie(self) -> CharTrie | None:
        return CharTrie(self._unigram_set) if self._has_words else None

    @property
    def own_model(self) -> Any:
        """The library's model, which the search in C++ asks itself; None for one of the module `kenlm`."""
        return self._kenlm_model._model if isinstance(self._kenlm_model, Model) else None

    def get_start_state(self) -> KenlmState:
        """Before a sentence; with `score_boundary` off, without any words before."""
        state = self._state_class()
        if self.score_boundary:
            self._kenlm_model.BeginSentenceWrite(state)
        else:
            self._kenlm_model.NullContextWrite(state)
        return KenlmState(state)

    def score_partial_token(self, partial_token: str) -> float:
        """ln; 0 where a known word begins so, and for longer beginnings of unknown words more than the offset."""
        if self._char_trie is not None and self._char_trie.has_node(partial_token):
            unknown = self.unk_score_offset * 0
        else:
            unknown = self.unk_score_offset
        return unknown * len(partial_token) / AVG_TOKEN_LEN if len(partial_token) > AVG_TOKEN_LEN else unknown

    def score(
        self, prev_state: AbstractLMState, word: str, is_last_word: bool = False
    ) -> tuple[float, KenlmState]:
        """ln with the weights applied; the end of the sentence, where it is the last, changes no state.

        Raises:
            TypeError: the state is of another kind of model.
        """
        if not isinstance(prev_state, KenlmState):
            raise TypeError(f"the state is a {type(prev_state).__name__}, not a KenlmState")
        after = self._state_class()
        log10 = self._kenlm_model.BaseScore(prev_state.state, word, after)
        if (self._unigram_set and word not in self._unigram_set) or word not in self._kenlm_model:
            log10 += self.unk_score_offset
        if is_last_word and self.score_boundary:
            log10 = log10 + self._kenlm_model.BaseScore(after, "</s>", self._state_class())
        return self.alpha * log10 * LOG_BASE_CHANGE_FACTOR + self.beta, KenlmState(after)

    @property
    def serializable_attrs(self) -> dict[str, Any]:
        """The weights, as they are saved."""
        return {name: getattr(self, name) for name in self.JSON_ATTRS}

    def save_to_dir(self, filepath: str, unigram_encoding: str | None = None) -> None:
        """Writes three files: the weights, the words, a copy of the model."""
        folder, model = Path(filepath), Path(_text(self._kenlm_model.path))
        (folder / self._ATTRS_FILE).write_text(json.dumps(self.serializable_attrs), encoding="utf-8")
        words = "".join(f"{word}\n" for word in sorted(self._unigram_set))
        (folder / self._UNIGRAMS_FILE).write_text(words, encoding=unigram_encoding or "utf-8")
        shutil.copy2(model, folder / model.name)

    @classmethod
    def parse_directory_contents(cls, filepath: str) -> dict[str, str]:
        """The three files of a folder: json_attrs, unigrams, kenlm.

        Raises:
            ValueError: another number of files, or one is missing.
        """
        folder = Path(filepath)
        names = {path.name for path in folder.iterdir() if not path.name.startswith((".", "__"))}
        models = names - {cls._ATTRS_FILE, cls._UNIGRAMS_FILE}
        model = next(iter(models), "")
        if len(names) != 3 or len(models) != 1 or not model.endswith(_MODEL_ENDINGS):
            raise ValueError(
                f"a language model's folder holds {cls._ATTRS_FILE}, {cls._UNIGRAMS_FILE} and a model "
                f"({', '.join(_MODEL_ENDINGS)}); {filepath} holds {', '.join(sorted(names)) or 'nothing'}"
            )
        found = {"json_attrs": cls._ATTRS_FILE, "unigrams": cls._UNIGRAMS_FILE, "kenlm": model}
        return {kind: str(folder / name) for kind, name in found.items()}

    @classmethod
    def load_from_dir(cls, filepath: str, unigram_encoding: str | None = None) -> LanguageModel:
        """From a folder as `save_to_dir` writes it.

        Raises:
            ValueError: files or weights are missing. OSError: the model cannot be read.
        """
        names = cls.parse_directory_contents(filepath)
        weights = json.loads(Path(names["json_attrs"]).read_text(encoding="utf-8"))
        if set(weights) != set(cls.JSON_ATTRS):
            raise ValueError(f"{names['json_attrs']} has {sorted(weights)}, not {sorted(cls.JSON_ATTRS)}")
        words = Path(names["unigrams"]).read_text(encoding=unigram_encoding or "utf-8").splitlines()
        return cls(Model(names["kenlm"]), words, **weights)


def _text(path: str | bytes) -> str:
    return path if isinstance(path, str) else path.decode()


def _known(unigrams: Collection[str], model: Any) -> set[str]:
    """Those of the words that the model has; a sentence where they hardly meet."""
    known = {word for word in set(unigrams) if word in model}
    if len(unigrams) < _FEW_WORDS:
        _log.warning("only %d unigrams are given: is this a small or artificial vocabulary?", len(unigrams))
    if unigrams and len(known) / len(unigrams) < _SMALL_SHARE:
        share = 100 * len(known) / len(unigrams)
        _log.warning(
            "only %.1f %% of the unigrams stand in the language model: do they belong together?", share
        )
    return known


class MultiLanguageModel(AbstractLanguageModel):
    """Several models; their scores are averaged.

    Raises:
        ValueError: fewer than two.
    """

    def __init__(self, language_models: Sequence[AbstractLanguageModel]) -> None:
        if len(language_models) < 2:
            raise ValueError(f"several models are at least two, not {len(language_models)}")
        self._language_models = language_models

    @property
    def order(self) -> int:
        """The highest of them."""
        return max(model.order for model in self._language_models)

    def get_start_state(self) -> MultiLanguageModelState:
        """One a model."""
        return MultiLanguageModelState([model.get_start_state() for model in self._language_models])

    def score_partial_token(self, partial_token: str) -> float:
        """The mean of theirs."""
        scores = [model.score_partial_token(partial_token) for model in self._language_models]
        return sum(scores) / len(scores)

    def score(
        self, prev_state: AbstractLMState, word: str, is_last_word: bool = False
    ) -> tuple[float, MultiLanguageModelState]:
        """The mean of theirs, and the state of each.

        Raises:
            TypeError: the state is of another kind. ValueError: it is of another number of models.
        """
        if not isinstance(prev_state, MultiLanguageModelState):
            raise TypeError(f"the state is a {type(prev_state).__name__}, not of several models")
        if len(prev_state.states) != len(self._language_models):
            raise ValueError(f"{len(prev_state.states)} states for {len(self._language_models)} models")
        pairs = zip(self._language_models, prev_state.states, strict=True)
        scored = [model.score(state, word, is_last_word=is_last_word) for model, state in pairs]
        mean = sum(score for score, _ in scored) / len(scored)
        return mean, MultiLanguageModelState([state for _, state in scored])
