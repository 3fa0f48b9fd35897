"""The rows of the table: which setting of ours stands against which of a peer, and the goal of each."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

WER_MARGIN = 0.001  # 0.1 percentage points: how far ours may lie above a peer


@dataclass(frozen=True)
class Setting:
    """A decoder as it is to be run; `options` are the worker's (beam, mode, threshold, …)."""

    engine: str
    options: dict[str, Any]

    @property
    def key(self) -> str:
        """One name per setting."""
        return f"{self.engine} " + " ".join(f"{k}={v}" for k, v in sorted(self.options.items()))

    @property
    def label(self) -> str:
        """For the table."""
        named = [f"{k} {v}" for k, v in self.options.items() if k not in ("mode", "model", "cuts")]
        return " ".join([self.options.get("mode", ""), *named]).strip()


def ours(mode: str, beam: int, model: str = "probing") -> Setting:
    """Our decoder; model "" is none."""
    return Setting("speechmill", {"mode": mode, "beam": beam, "model": model})


def opened(mode: str, beam: int) -> Setting:
    """Our decoder when it may write words outside the lexicon, as pyctcdecode does."""
    return Setting("speechmill", {"mode": mode, "beam": beam, "model": "probing", "open": True})


def opened_as_pyctcdecode(beam: int) -> Setting:
    """The same with the very cuts of pyctcdecode: labels below e^-5 and prefixes 10 nats behind are left out."""
    cuts = {"label_floor": math.exp(-5.0), "score_threshold": 10.0}
    return Setting("speechmill", {"mode": "", "cuts": cuts, "beam": beam, "model": "probing", "open": True})


def wide(beam: int) -> Setting:
    """flashlight-text over all labels."""
    return Setting("flashlight", {"beam": beam, "labels": 29, "threshold": 50})


@dataclass(frozen=True)
class Row:
    """One comparison. `goal`: our CPU time is to be at most this share of the peer's. Slow ones are run once, on
    some of the utterances. `same_words` is false where the peer may write words that ours must not: then only the
    speed is compared."""

    name: str
    ours: Setting
    peer: Setting
    goal: float
    slow: bool = False
    same_words: bool = True
    settings: tuple[Setting, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", (self.ours, self.peer))


_FLASHLIGHT_10 = Setting("flashlight", {"beam": 100, "labels": 10, "threshold": 25})
_FLASHLIGHT_5 = Setting("flashlight", {"beam": 100, "labels": 5, "threshold": 12})
_PYCTCDECODE = Setting("pyctcdecode", {"beam": 100})


def _fast_ctc(beam: int) -> Setting:
    return Setting("fast-ctc-decode", {"beam": beam, "cut": 0.001})


ROWS = (
    Row("exact, beam 50", ours("exact", 50), wide(50), 1 / 12),
    Row("exact, beam 100", ours("exact", 100), wide(100), 1 / 12),
    Row("exact, beam 500", ours("exact", 500), wide(500), 1 / 12, slow=True),
    Row("default, beam 100", ours("default", 100), _FLASHLIGHT_10, 1 / 15),
    Row("default, beam 100", ours("default", 100), _PYCTCDECODE, 1 / 10, same_words=False),
    Row("default, open vocabulary, beam 100", opened("default", 100), _PYCTCDECODE, 1 / 10),
    Row("pyctcdecode's cuts, open vocabulary, beam 100", opened_as_pyctcdecode(100), _PYCTCDECODE, 1 / 10),
    Row("fast, open vocabulary, beam 100", opened("fast", 100), _PYCTCDECODE, 1 / 10),
    Row("fast, beam 100", ours("fast", 100), _FLASHLIGHT_5, 1 / 15),
    Row("no LM, default, beam 50", ours("default", 50, ""), _fast_ctc(50), 1 / 1.5),
    Row("no LM, default, beam 100", ours("default", 100, ""), _fast_ctc(100), 1 / 1.5),
    Row("no LM, fast, beam 100", ours("fast", 100, ""), _fast_ctc(100), 1 / 1.5),
)
ALONE = (
    Setting("speechmill", {"mode": "greedy", "beam": 1, "model": ""}),
    *(ours(mode, 100, model) for model in ("trie", "quantised") for mode in ("exact", "default", "fast")),
)
"""Settings of ours without a peer: best path, and the smaller language models."""
