"""Raw text to the alphabet's text, or the reason why not; versioned rules.

`Normaliser.normalise` is total: any string gives a `Normalised` whose text is within the alphabet, or a
`Refused` with the check that is counted. The raw text is kept elsewhere and never changed. The rules
never guess: a partial word, an unknown tag, a digit refuse the utterance instead of falsifying it.
The same class prepares language model text. Sentences are not split and nothing is spelled out here
beyond the tables of transcript_rules.py.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence
from functools import cache

from corpora.text import alternations
from corpora.text.apostrophes import join_clitics, unquote
from corpora.text.languages import (
    alphabet_for,
    folds_accents,
    is_borrowed,
    labels_for,
    lower,
    spoken_symbols,
)
from corpora.text.letters import ScriptForms, fitted, folded
from corpora.text.marks import Marks
from corpora.text.numbers import may_hold_numbers, read_numbers
from corpora.text.outcome import (
    DEFAULT_POLICIES,
    Normalised,
    Notes,
    Policies,
    Refusal,
    Refused,
    listed,
    quote,
)
from corpora.text.tables import (
    APOSTROPHES,
    BLANKED,
    INVISIBLE,
    REFUSED_SYMBOLS,
    STYLES,
)
from native import Alphabet
from store.errors import UsageError

__all__ = ["DEFAULT_POLICIES", "Normalised", "Normaliser", "Policies", "Refused"]

NORMALISER_VERSION = "5"

_PERCENT = re.compile(r"%(?:20|26|27|2C|2c|22)")
_PERCENT_TEXT = {"%20": " ", "%26": "&", "%27": "'", "%2C": ",", "%2c": ",", "%22": '"'}
_OPTIONAL = re.compile(r"(?<!\()\([^()]+\)(?!\))")
_REPEATED_QUOTE = re.compile(r"''+")
_PLAIN = re.compile(r"[a-z]+(?:'[a-z]+)*(?: [a-z]+(?:'[a-z]+)*)*")


class Normaliser:
    """The rules of one style for one alphabet.

    Args:
        alphabet_labels: the labels, without blank.
        style: a key of `transcript_rules.STYLES`.

    Raises:
        UsageError: no such style.
    """

    def __init__(self, alphabet_labels: Sequence[str], style: str, policies: Policies | None = None) -> None:
        if style not in STYLES:
            raise UsageError(f"no transcript style {style!r}; there are: {', '.join(STYLES)}")
        self.style = STYLES[style]
        self.policies = policies or Policies()
        self._marks = Marks(self.style, self.policies)
        self._labels = frozenset(alphabet_labels)
        self._forms = ScriptForms(self._labels)
        self._blank = " " if " " in self._labels else ""
        self._language = self.policies.language
        self._folds = folds_accents(self._language, self._labels)
        self._always = ("english_alphabet",) if is_borrowed(self._language, self._labels) else ()
        self._symbols = {sign: f" {word} " for sign, word in spoken_symbols(self._language).items()}
        self._english = self._labels >= frozenset("abcdefghijklmnopqrstuvwxyz' ")
        self._table = {ord(c): "'" for c in APOSTROPHES}
        self._table |= {ord(c): " " for c in BLANKED if c not in self._labels}

    def normalise(self, raw: str) -> Normalised | Refused:
        """The text in the alphabet, or why it is refused; never raises."""
        if self._english and _PLAIN.fullmatch(raw) and not self.style.clitics:
            return Normalised(raw, flags=self._always)
        parts: list[str | tuple[str, ...]] = [raw] if self.style.strict else alternations.pieces(raw)
        try:
            return self._of_pieces(parts) if len(parts) > 1 else self._normalised(raw)
        except RecursionError:
            return Refused("unknown_tag", f"marks inside marks inside marks in {quote(raw)}")

    def _of_pieces(self, parts: list[str | tuple[str, ...]]) -> Normalised | Refused:
        """A text with alternations: the first of each to learn, all of them to score."""
        learnt = self._normalised(alternations.first_of(parts))
        if isinstance(learnt, Refused):
            return learnt
        scored = [
            self._to_score(part) if isinstance(part, str) else tuple(map(self._to_score, part))
            for part in parts
        ]
        scoring = alternations.joined(scored)
        return Normalised(learnt.text, scoring if scoring != learnt.text else None, learnt.flags)

    def _to_score(self, raw: str) -> str:
        """What counts of a piece in scoring; "" where nothing does."""
        said = self._normalised(raw)
        if isinstance(said, Refused):
            return ""
        return said.text if said.text_scoring is None else said.text_scoring

    def _normalised(self, raw: str) -> Normalised | Refused:
        notes = Notes(set(self._always))
        try:
            text = self._prepare(raw)
            text = self._strict(text) if self.style.strict else self._marks.taken_off(text, notes)
            words = self._spell(self._words(text, notes))
        except Refusal as refusal:
            return refusal.refused
        if not words:
            if notes.flags & {"has_noise_tag", "editorial_dropped"}:
                return Refused("noise_only", f"nothing but tags or notes in {quote(raw)}")
            return Refused("empty_text", f"no word in {quote(raw)}")
        text = self._blank.join(words)
        scoring = self._blank.join(w for w in words if w not in notes.optional)
        if self.style.conversational and _OPTIONAL.search(raw):
            scoring = self._without_optional(raw)
        return Normalised(text, scoring if scoring != text else None, tuple(sorted(notes.flags)))

    def _without_optional(self, raw: str) -> str:
        """What is left to score where words in single parentheses may be said or not: `(UH)`."""
        return self._to_score(_OPTIONAL.sub(" ", raw))

    def _prepare(self, raw: str) -> str:
        """NFC, the alphabet's own forms, no entities of the web, no invisible signs, one blank, one apostrophe."""
        text = raw
        if self.style.web:
            if "%" in text:
                text = _PERCENT.sub(lambda m: _PERCENT_TEXT[m.group()], text)
            if "&" in text:
                text = _unescaped(text)
        if not text.isascii():
            text = INVISIBLE.sub("", unicodedata.normalize("NFC", text))
            text = "".join(" " if unicodedata.category(c) == "Zs" else c for c in text)
            text = fitted(text, self._forms)
        for sign in APOSTROPHES:
            if sign in text:
                text = text.replace(sign, "'")
        return text

    def _strict(self, text: str) -> str:
        odd = sorted({c for c in lower(text, self._language) if c not in self._labels and not c.isspace()})
        if odd:
            raise Refusal("bad_chars", f"{listed(odd)} in a corpus that holds letters and apostrophes only")
        return text

    # --- words and letters ------------------------------------------------------------------------------

    def _words(self, text: str, notes: Notes) -> list[str]:
        """Blank-separated words; quotation marks gone, clitics joined, symbols spoken, digits decided."""
        if may_hold_numbers(text):
            text = self._numbers(text, notes)
        for sign, spoken in self._symbols.items():
            if sign in text:
                text = text.replace(sign, spoken)
        if not text.isalpha():
            odd = sorted(set(text) & REFUSED_SYMBOLS - self._labels)
            if odd:
                raise Refusal("symbol", f"{listed(odd)} has no certain spoken form")
        text = _REPEATED_QUOTE.sub(" ", text.translate(self._table))
        words = lower(text, self._language).split()
        if self.style.clitics:
            words = join_clitics(words)
        if self.style.web and "'" in text:
            words = unquote(words)
        return [w for w in words if w.strip("'")]

    def _numbers(self, text: str, notes: Notes) -> str:
        read = read_numbers(text, self.policies.numbers, self._language)
        if read.odd is not None:
            raise Refusal("numbers", f"{quote(read.odd)} can be read in more than one way")
        notes.flags |= {"numbers_spelled"} if read.spelled else set()
        return read.text

    def _spell(self, words: list[str]) -> list[str]:
        """Fold letters the alphabet lacks onto those it has; refuse the rest by name."""
        spelled, odd = folded(words, self._labels, self._folds)
        if odd:
            raise Refusal("bad_chars", f"{listed(sorted(odd))} not in the alphabet")
        return spelled


def _unescaped(text: str) -> str:
    """Entities of the web as their signs; some texts are escaped twice.

    Raises:
        Refusal: a number of a sign that has thousands of digits.
    """
    try:
        return html.unescape(html.unescape(text))
    except ValueError as error:
        raise Refusal("bad_chars", f"an entity in {quote(text)} is no sign: {error}") from error


def default_alphabet() -> Alphabet:
    """Blank, a–z and the apostrophe; CTC blank last. The file is alphabets/en.txt."""
    return alphabet_for("en")


def default_labels() -> tuple[str, ...]:
    """The labels of `default_alphabet()`, without the CTC blank."""
    return labels_for("en")


@cache
def _text_normaliser() -> Normaliser:
    return Normaliser(default_labels(), "verbatim")


def normalise_text_line(raw: str) -> list[str]:
    """Words of one line or sentence of running text, by the rules of `verbatim`; [] where refused."""
    result = _text_normaliser().normalise(raw)
    return result.text.split() if isinstance(result, Normalised) else []
