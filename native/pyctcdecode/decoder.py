"""The decoder: logits of a network in, texts with the frames of their words out."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.context import SpawnContext
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from .alphabet import Alphabet, verify_alphabet_coverage
from .beams import (
    EMPTY_START_BEAM,
    Beam,
    LMBeam,
    OutputBeam,
    _merge_beams,
    _normalize_whitespace,
    _prune_history,
    _sort_and_trim_beams,
    _sum_log_scores,
)
from .constants import (
    DEFAULT_ALPHA,
    DEFAULT_BEAM_WIDTH,
    DEFAULT_BETA,
    DEFAULT_HOTWORD_WEIGHT,
    DEFAULT_MIN_TOKEN_LOGP,
    DEFAULT_PRUNE_BEAMS,
    DEFAULT_PRUNE_LOGP,
    DEFAULT_SCORE_LM_BOUNDARY,
    DEFAULT_UNK_LOGP_OFFSET,
)
from .engine import Engine
from .kenlm import Model
from .language_model import (
    AbstractLanguageModel,
    AbstractLMState,
    HotwordScorer,
    LanguageModel,
    load_unigram_set_from_arpa,
)
from .search import Cuts, LMScoreCache, Search, log_probs_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Logits = npt.NDArray[np.floating]

__all__ = [
    "Beam",
    "BeamSearchDecoderCTC",
    "LMBeam",
    "OutputBeam",
    "_merge_beams",
    "_normalize_whitespace",
    "_prune_history",
    "_sort_and_trim_beams",
    "_sum_log_scores",
    "build_ctcdecoder",
]

_log = logging.getLogger(__name__)


def _usable(pool: Any) -> Any:
    """The pool; None where its processes are spawned: they would not have the models, which live in the class."""
    if pool is not None and isinstance(pool._ctx, SpawnContext):
        _log.warning(
            "the pool spawns its processes, which then have no language model: decoding here instead"
        )
        return None
    return pool


class BeamSearchDecoderCTC:
    """A beam search over a network's labels, with a language model of words or without.

    Models are kept in the class, so that processes of a forked pool share them; `cleanup` lets one go.
    """

    model_container: ClassVar[dict[bytes, AbstractLanguageModel | None]] = {}
    # The names are transformers', which reads them for repositories of the hub.
    _ALPHABET_SERIALIZED_FILENAME = "alphabet.json"
    _LANGUAGE_MODEL_SERIALIZED_DIRECTORY = "language_model"

    def __init__(self, alphabet: Alphabet, language_model: AbstractLanguageModel | None = None) -> None:
        self._alphabet = alphabet
        self._idx2vocab = dict(enumerate(alphabet.labels))
        self._is_bpe = alphabet.is_bpe
        self._model_key = os.urandom(16)
        self._built: tuple[AbstractLanguageModel | None, Engine | None] | None = None
        BeamSearchDecoderCTC.model_container[self._model_key] = language_model

    @property
    def _language_model(self) -> AbstractLanguageModel | None:
        return BeamSearchDecoderCTC.model_container[self._model_key]

    @property
    def _engine(self) -> Engine | None:
        """The search in C++ for the model of now; None where it must be searched in Python."""
        model = self._language_model
        if self._built is None or self._built[0] is not model:
            labels = [*self._idx2vocab.values()]
            can = Engine.can(labels, model)
            self._built = (
                model,
                Engine(labels, self._is_bpe, cast("LanguageModel | None", model)) if can else None,
            )
        return self._built[1]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_built": None}

    def reset_params(
        self,
        alpha: float | None = None,
        beta: float | None = None,
        unk_score_offset: float | None = None,
        lm_score_boundary: bool | None = None,
    ) -> None:
        """Changes the model's weights; None leaves one as it is. Raises ValueError: one is of a wrong type."""
        if self._language_model is not None:
            self._language_model.reset_params(
                alpha=alpha, beta=beta, unk_score_offset=unk_score_offset, score_boundary=lm_score_boundary
            )

    @classmethod
    def clear_class_models(cls) -> None:
        """Lets all models go."""
        BeamSearchDecoderCTC.model_container = {}

    def cleanup(self) -> None:
        """Lets this decoder's model go."""
        BeamSearchDecoderCTC.model_container.pop(self._model_key, None)

    def _check_logits_dimension(self, logits: Logits) -> None:
        if len(logits.shape) != 2 or logits.shape[1] != len(self._idx2vocab):
            raise ValueError(
                f"logits are [frames, {len(self._idx2vocab)} labels]; these have the shape {list(logits.shape)}"
            )

    def get_starting_state(self) -> tuple[list[Beam], LMScoreCache, dict[str, float]]:
        """What `partial_decode_beams` begins with: beams and two empty memories of scores."""
        return [EMPTY_START_BEAM], self._starting_texts(None), {}

    def _starting_texts(self, state: AbstractLMState | None) -> LMScoreCache:
        model = self._language_model
        return {} if model is None else {("", False): (0.0, 0.0, state or model.get_start_state())}

    def partial_decode_beams(
        self,
        logits: Logits,
        cached_lm_scores: LMScoreCache,
        cached_p_lm_scores: dict[str, float],
        beams: Sequence[Beam],
        processed_frames: int,
        beam_width: int = DEFAULT_BEAM_WIDTH,
        beam_prune_logp: float = DEFAULT_PRUNE_LOGP,
        token_min_logp: float = DEFAULT_MIN_TOKEN_LOGP,
        prune_history: bool = DEFAULT_PRUNE_BEAMS,
        hotword_scorer: HotwordScorer | None = None,
        force_next_word: bool = False,
        is_end: bool = False,
    ) -> list[LMBeam]:
        """Decodes some more frames, from the beams and scores of the call before.

        Args:
            processed_frames: how many frames went before. force_next_word: the word being written ends here.
            is_end: the text ends here.

        Raises:
            ValueError: the logits have another shape.
        """
        self._check_logits_dimension(logits)
        search = Search(
            [*self._idx2vocab.values()],
            self._is_bpe,
            self._language_model,
            hotword_scorer or HotwordScorer.build_scorer([], weight=0.0),
            Cuts(beam_width, beam_prune_logp, token_min_logp, prune_history),
            cached_lm_scores,
            cached_p_lm_scores,
        )
        grown = search.extend(log_probs_of(logits), beams, processed_frames)
        return search.finish(grown, force_next_word, is_end)

    def decode_beams(
        self,
        logits: Logits,
        beam_width: int = DEFAULT_BEAM_WIDTH,
        beam_prune_logp: float = DEFAULT_PRUNE_LOGP,
        token_min_logp: float = DEFAULT_MIN_TOKEN_LOGP,
        prune_history: bool = DEFAULT_PRUNE_BEAMS,
        hotwords: Iterable[str] | None = None,
        hotword_weight: float = DEFAULT_HOTWORD_WEIGHT,
        lm_start_state: AbstractLMState | None = None,
    ) -> list[OutputBeam]:
        """The beams that are left at the end, the best first.

        Args:
            logits: [frames, labels]: logits, log-probabilities or probabilities.
            beam_prune_logp: beams that much worse than the best are dropped, ln. token_min_logp: less probable labels
            are not tried, unless nothing is more probable. prune_history: of beams that the model cannot tell apart any
            more only the best is kept. lm_start_state: `last_lm_state` of what was said before.

        Raises:
            ValueError: the logits have another shape.
        """
        self._check_logits_dimension(logits)
        log_probs = log_probs_of(logits)
        cuts = Cuts(beam_width, beam_prune_logp, token_min_logp, prune_history)
        hot_words = [word for phrase in hotwords or () for word in phrase.split()]
        engine = self._engine
        if engine is not None:
            return engine.decode(log_probs, cuts, (hot_words, float(hotword_weight)), lm_start_state)
        search = Search(
            [*self._idx2vocab.values()],
            self._is_bpe,
            self._language_model,
            HotwordScorer.build_scorer(hot_words, weight=hotword_weight),
            cuts,
            self._starting_texts(lm_start_state),
        )
        beams = search.finish(search.extend(log_probs, [EMPTY_START_BEAM], 0), True, True)
        return [
            OutputBeam(
                text=_normalize_whitespace(beam.text),
                last_lm_state=search.texts[(beam.text, True)][2]
                if (beam.text, True) in search.texts
                else None,
                text_frames=list(zip(beam.text.split(), beam.text_frames, strict=False)),
                logit_score=beam.logit_score,
                lm_score=beam.lm_score,
            )
            for beam in beams
        ]

    def decode(self, logits: Logits, *arguments: Any, **named: Any) -> str:
        """The best text; arguments as for `decode_beams`, but `prune_history`, which is on."""
        names = (
            "beam_width",
            "beam_prune_logp",
            "token_min_logp",
            "hotwords",
            "hotword_weight",
            "lm_start_state",
        )
        return self.decode_beams(
            logits, prune_history=True, **dict(zip(names, arguments, strict=False)), **named
        )[0].text

    def _decode_beams_to_send(self, logits: Logits, **named: Any) -> list[OutputBeam]:
        return [beam.get_mp_safe_beam() for beam in self.decode_beams(logits, **named)]

    def decode_beams_batch(
        self,
        pool: Any,
        logits_list: Sequence[Logits],
        beam_width: int = DEFAULT_BEAM_WIDTH,
        beam_prune_logp: float = DEFAULT_PRUNE_LOGP,
        token_min_logp: float = DEFAULT_MIN_TOKEN_LOGP,
        prune_history: bool = DEFAULT_PRUNE_BEAMS,
        hotwords: Iterable[str] | None = None,
        hotword_weight: float = DEFAULT_HOTWORD_WEIGHT,
    ) -> list[list[OutputBeam]]:
        """`decode_beams` of each, in the processes of a forked `pool` (None: here); without the models' states."""
        for logits in logits_list:
            self._check_logits_dimension(logits)
        work = functools.partial(
            self._decode_beams_to_send,
            beam_width=beam_width,
            beam_prune_logp=beam_prune_logp,
            token_min_logp=token_min_logp,
            prune_history=prune_history,
            hotwords=None if hotwords is None else list(hotwords),
            hotword_weight=hotword_weight,
        )
        found: list[list[OutputBeam]] = self._map(pool, work, logits_list)
        return found

    def decode_batch(
        self, pool: Any, logits_list: Sequence[Logits], *arguments: Any, **named: Any
    ) -> list[str]:
        """`decode` of each, in the processes of a forked `pool` (None: here)."""
        for logits in logits_list:
            self._check_logits_dimension(logits)
        work = functools.partial(_decode_one, self, arguments, named)
        found: list[str] = self._map(pool, work, logits_list)
        return found

    def _map(self, pool: Any, work: Callable[[Logits], Any], logits_list: Sequence[Logits]) -> list[Any]:
        """In the pool's processes, else in threads where the search is the one in C++, which lets others run."""
        usable = _usable(pool)
        if usable is not None:
            return list(usable.map(work, logits_list))
        if self._engine is None:
            return [work(logits) for logits in logits_list]
        with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
            return list(threads.map(work, logits_list))

    def save_to_dir(self, filepath: str) -> None:
        """Writes alphabet.json and, where there is a model, the folder language_model."""
        folder = Path(filepath)
        (folder / self._ALPHABET_SERIALIZED_FILENAME).write_text(self._alphabet.dumps(), encoding="utf-8")
        if self._language_model is not None:
            (folder / self._LANGUAGE_MODEL_SERIALIZED_DIRECTORY).mkdir()
            self._language_model.save_to_dir(str(folder / self._LANGUAGE_MODEL_SERIALIZED_DIRECTORY))

    @classmethod
    def parse_directory_contents(cls, filepath: str) -> dict[str, str | None]:
        """Where a folder has the alphabet and the language model (None: it has none).

        Raises:
            ValueError: the alphabet is missing, or there are other files and no language model.
        """
        folder = Path(filepath)
        names = {path.name for path in folder.iterdir() if not path.name.startswith((".", "__"))}
        alphabet, model = cls._ALPHABET_SERIALIZED_FILENAME, cls._LANGUAGE_MODEL_SERIALIZED_DIRECTORY
        others = names - {alphabet}
        if alphabet not in names or (others and model not in others):
            raise ValueError(
                f"a decoder's folder holds {alphabet} and, if it has a model, {model}; {filepath} "
                f"holds {', '.join(sorted(names)) or 'nothing'}"
            )
        return {"alphabet": str(folder / alphabet), "language_model": str(folder / model) if others else None}

    @classmethod
    def load_from_dir(cls, filepath: str, unigram_encoding: str | None = None) -> BeamSearchDecoderCTC:
        """From a folder as `save_to_dir` writes it. Raises ValueError, OSError: files are missing or damaged."""
        names = cls.parse_directory_contents(filepath)
        alphabet = Alphabet.loads(Path(str(names["alphabet"])).read_text(encoding="utf-8"))
        folder = names["language_model"]
        model = None if folder is None else LanguageModel.load_from_dir(folder, unigram_encoding)
        return cls(alphabet, model)

    @classmethod
    def load_from_hf_hub(
        cls, model_id: str, cache_dir: str | None = None, **kwargs: Any
    ) -> BeamSearchDecoderCTC:
        """From a repository of the Hugging Face hub, by the package huggingface_hub; `local_files_only=True` asks nobody.

        Raises:
            ImportError: huggingface_hub is not installed.
        """
        try:
            from huggingface_hub import snapshot_download
        except ImportError as error:
            raise ImportError(
                "load_from_hf_hub needs huggingface_hub: pip install huggingface_hub"
            ) from error
        cache = cache_dir or str(Path.home() / ".cache" / "pyctcdecode")
        return cls.load_from_dir(snapshot_download(model_id, cache_dir=cache, **kwargs))


def _decode_one(
    decoder: BeamSearchDecoderCTC, arguments: tuple[Any, ...], named: dict[str, Any], logits: Logits
) -> str:
    return decoder.decode(logits, *arguments, **named)


def build_ctcdecoder(
    labels: Sequence[str],
    kenlm_model_path: str | None = None,
    unigrams: Collection[str] | None = None,
    alpha: float = DEFAULT_ALPHA,
    beta: float = DEFAULT_BETA,
    unk_score_offset: float = DEFAULT_UNK_LOGP_OFFSET,
    lm_score_boundary: bool = DEFAULT_SCORE_LM_BOUNDARY,
) -> BeamSearchDecoderCTC:
    """A decoder for a network's labels.

    Args:
        labels: one a column of the logits; [PAD], <pad> or "" is the blank, else it is the column after the last.
        kenlm_model_path: .arpa, or a KenLM binary. unigrams: the words there are; of an .arpa they are known.

    Raises:
        ValueError: the labels make no alphabet. OSError: the model cannot be read.
    """
    alphabet = Alphabet.build_alphabet(labels)
    if kenlm_model_path is None:
        return BeamSearchDecoderCTC(alphabet)
    path = os.fspath(kenlm_model_path)
    if unigrams is None and path.endswith(".arpa"):
        unigrams = load_unigram_set_from_arpa(path)
    if unigrams is not None:
        verify_alphabet_coverage(alphabet, unigrams)
    model = LanguageModel(Model(path), unigrams, alpha, beta, unk_score_offset, lm_score_boundary)
    return BeamSearchDecoderCTC(alphabet, model)
