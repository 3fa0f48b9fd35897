"""Several models → one: static linear interpolation of ARPA files, weights tuned on the development transcripts.

    P(w | h) = Σ λ_i P_i(w | h)         for every n-gram of any component, λ ≥ 0, Σ λ = 1

An n-gram that a component lacks has its backed-off probability there; a word that it does not know has none (its
mass for unknown words goes to <unk>). Back-off weights of the mixture are computed anew, so that every context
sums to one. Weights: expectation maximisation, from equal ones, without chance. Sources and KenLM's programs:
`mixture.py`. Memory: about 110 bytes an n-gram and component; whole columns are worked on, no n-gram alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from lm.errors import ToolFailedError

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

ITERATIONS = 500
CONVERGED = 1e-7
_LEAST = 1e-12  # of probability left for words that a context does not list
_NONE = -99.0
_START = b"<s>"


@dataclass(frozen=True)
class Weights:
    """Weights of the components in their order (sum 1), how they were found, perplexities on the tuning text."""

    weights: tuple[float, ...]
    iterations: int
    tokens: int
    skipped: int
    perplexity: float
    alone: tuple[float | None, ...]


def tune_weights(log10: Floats) -> Weights:
    """Weights that make a text most probable, by expectation maximisation.

    Args:
        log10: [tokens, components] log10 probabilities; -inf where a component does not know the word. Tokens
            that no component knows are passed over.
    """
    known = np.isfinite(log10).any(axis=1)
    probabilities = 10.0 ** log10[known]
    tokens, components = probabilities.shape
    weights = np.full(components, 1.0 / components)
    iterations = 0
    for iterations in range(1, ITERATIONS + 1):  # noqa: B007 - told in the answer
        if tokens == 0:
            break
        shares = probabilities * weights
        better = (shares / shares.sum(axis=1, keepdims=True)).mean(axis=0)
        moved = float(np.abs(better - weights).max())
        weights = better
        if moved < CONVERGED:
            break
    weights = np.round(weights, 6)
    weights /= weights.sum()
    mixed = np.log10(probabilities @ weights) if tokens else np.zeros(0)
    alone = tuple(_perplexity(column) for column in log10[known].T)
    return Weights(
        tuple(float(w) for w in weights),
        iterations,
        int(tokens),
        int((~known).sum()),
        _perplexity(mixed) or 0.0,
        alone,
    )


def _perplexity(log10: Floats) -> float | None:
    """None where the text holds words of probability zero, or none at all."""
    if not log10.size or not np.isfinite(log10).all():
        return None
    return float(round(10.0 ** -float(log10.mean()), 4))


@dataclass
class _Order:
    """The n-grams of one order, over all components, sorted by key = prefix's place << 32 | last word."""

    keys: Indices
    suffix: Indices  # place of the n-gram without its first word, one order below
    log10: list[Floats]  # per component, backed off where it lacks the n-gram
    backoff: list[Floats]  # per component, 0 where it lacks the n-gram
    mixed: Floats  # log10 of the mixture

    @property
    def prefix(self) -> Indices:
        """Place of the n-gram without its last word, one order below."""
        return self.keys >> 32

    @property
    def word(self) -> Indices:
        """The last word."""
        return self.keys & 0xFFFFFFFF


def interpolate(arpas: Sequence[Path], weights: Sequence[float], out: Path) -> list[int]:
    """Writes the mixture of ARPA files as an ARPA file; returns its n-grams per order.

    Raises ToolFailedError for a file that is no ARPA file as `lmplz` writes it.
    """
    files = [_Arpa(path) for path in arpas]
    words = sorted({word for file in files for word in file.words()})
    vocabulary = pa.array(words, pa.binary())
    start = words.index(_START) if _START in words else -1
    orders: list[_Order] = []
    for order in range(1, max(file.order for file in files) + 1):
        sections = [file.section(order, vocabulary) for file in files]
        orders.append(_union(order, sections, orders, np.asarray(weights)))
    if start >= 0:  # <s> is a context, never predicted
        orders[0].mixed[start] = _NONE
    _write(out, orders, vocabulary)
    return [len(order.keys) for order in orders]


class _Arpa:
    """One ARPA file, section by section."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._bytes = path.read_bytes()
        self.order = 0
        while self._place(self.order + 1) >= 0:
            self.order += 1
        if not self._bytes.startswith(b"\\data\\") or not self.order:
            raise ToolFailedError(f"{path} does not begin with \\data\\, so it is no ARPA file")

    def _place(self, order: int) -> int:
        return self._bytes.find(b"\n\\%d-grams:\n" % order)

    def _table(self, order: int) -> pa.Table:
        begin = self._place(order)
        begin = self._bytes.index(b":\n", begin) + 2
        end = self._bytes.find(b"\n\n", begin - 1)
        text = self._bytes[begin : end + 1]
        names = ["log10", "ngram", "backoff"][: 3 if order < self.order else 2]
        types = {"log10": pa.float64(), "ngram": pa.binary(), "backoff": pa.float64()}
        if not text.strip():
            return pa.table({name: pa.array([], types[name]) for name in names})
        try:
            return pa.csv.read_csv(
                pa.BufferReader(text),
                read_options=pa.csv.ReadOptions(column_names=names, use_threads=False),
                parse_options=pa.csv.ParseOptions(delimiter="\t", quote_char=False),
                convert_options=pa.csv.ConvertOptions(column_types=types, strings_can_be_null=False),
            ).combine_chunks()
        except pa.ArrowInvalid as error:
            raise ToolFailedError(f"{self.path} is no ARPA file as lmplz writes it ({error})") from error

    def words(self) -> list[bytes]:
        """The words of the file, special ones included."""
        words: list[bytes] = self._table(1)["ngram"].to_pylist()
        return words

    def section(self, order: int, vocabulary: pa.Array) -> tuple[Indices, Floats, Floats]:
        """Word places [n-grams, order], log10 probabilities and back-off weights; empty above the own order."""
        if order > self.order:
            return np.zeros((0, order), np.int64), np.zeros(0), np.zeros(0)
        table = self._table(order)
        parts = pc.split_pattern(table["ngram"].combine_chunks(), b" ")
        places = pc.index_in(parts.flatten(), value_set=vocabulary).to_numpy(zero_copy_only=False)
        log10 = table["log10"].to_numpy()
        backoff = table["backoff"].to_numpy() if "backoff" in table.column_names else np.zeros(len(log10))
        return places.astype(np.int64).reshape(-1, order), log10, backoff


def _union(
    order: int, sections: Sequence[tuple[Indices, Floats, Floats]], below: Sequence[_Order], weights: Floats
) -> _Order:
    """The n-grams of one order of all components, with every component's probability of each."""
    keys = [_keys(places, below) for places, _, _ in sections]
    union: Indices = np.unique(np.concatenate(keys))
    suffix = _suffixes(order, union, below)
    log10, backoff = [], []
    for index, (own, (_, own_log10, own_backoff)) in enumerate(zip(keys, sections, strict=True)):
        if below:  # backed off
            lower = below[-1]
            values = lower.backoff[index][union >> 32] + lower.log10[index][suffix]
        else:
            values = np.full(len(union), -np.inf)
        weight = np.zeros(len(union))
        places = np.searchsorted(union, own)
        values[places], weight[places] = own_log10, own_backoff
        log10.append(values)
        backoff.append(weight)
    mixture = sum(part * 10.0**values for part, values in zip(weights, log10, strict=True))
    with np.errstate(divide="ignore"):
        mixed = np.maximum(np.log10(mixture), _NONE)
    return _Order(union, suffix, log10, backoff, mixed)


def _keys(places: Indices, below: Sequence[_Order]) -> Indices:
    """Keys of n-grams given by their words. A prefix that is not listed one order below is a fault of the file."""
    at = np.zeros(len(places), np.int64)
    for index, order in enumerate(below):
        at = _find(order.keys, (at << 32) | places[:, index])
    return (at << 32) | places[:, len(below)]


def _suffixes(order: int, keys: Indices, below: Sequence[_Order]) -> Indices:
    """Places of the n-grams without their first words, one order below."""
    if order == 1:
        return np.zeros(len(keys), np.int64)
    if order == 2:
        return _find(below[0].keys, keys & 0xFFFFFFFF)
    prefix_suffix = below[-1].suffix[keys >> 32]
    return _find(below[-1].keys, (prefix_suffix << 32) | (keys & 0xFFFFFFFF))


def _find(keys: Indices, wanted: Indices) -> Indices:
    places: Indices = np.searchsorted(keys, wanted)
    inside = np.minimum(places, max(len(keys) - 1, 0))
    if len(wanted) and (not len(keys) or (keys[inside] != wanted).any()):
        raise ToolFailedError("an ARPA file lists an n-gram without its shorter parts; lmplz never does")
    return places


def _backoffs(order: _Order, above: _Order) -> Floats:
    """log10 back-off weights of the contexts: what they leave over, over what is left one order below."""
    size = len(order.keys)
    listed = np.bincount(above.prefix, weights=10.0**above.mixed, minlength=size)
    lower = np.bincount(above.prefix, weights=10.0 ** order.mixed[above.suffix], minlength=size)
    values = np.zeros(size)
    some = np.bincount(above.prefix, minlength=size) > 0
    left, below = np.maximum(1.0 - listed, _LEAST), np.maximum(1.0 - lower, _LEAST)
    values[some] = np.log10(left[some] / below[some])
    return values


def _write(out: Path, orders: Sequence[_Order], vocabulary: pa.Array) -> None:
    """The ARPA file; probabilities with seven digits, as `lmplz` has them."""
    texts: Any = None
    with out.open("wb") as file:
        file.write(b"\\data\\\n")
        for number, order in enumerate(orders, 1):
            file.write(b"ngram %d=%d\n" % (number, len(order.keys)))
        for number, order in enumerate(orders, 1):
            word = vocabulary.take(pa.array(order.word))
            texts = word if number == 1 else pc.binary_join_element_wise(
                texts.take(pa.array(order.prefix)), word, b" "
            )  # fmt: skip
            columns = [_digits(order.mixed), texts]
            if number < len(orders):
                columns.append(_digits(_backoffs(order, orders[number])))
            lines = pc.binary_join_element_wise(*columns, b"\t")
            file.write(b"\n\\%d-grams:\n" % number)
            for begin in range(0, len(lines), 1 << 16):
                file.write(b"".join(line + b"\n" for line in lines.slice(begin, 1 << 16).to_pylist()))
        file.write(b"\n\\end\\\n")


def _digits(values: Floats) -> pa.Array:
    return pc.cast(pc.cast(pa.array(values.astype(np.float32)), pa.string()), pa.binary())
