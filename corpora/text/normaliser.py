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
from dataclasses import dataclass, field
from functools import cache

from corpora.text.apostrophes import join_clitics, unquote
from corpora.text.languages import (
    alphabet_for,
    borrows_english,
    folds_accents,
    labels_for,
    lower,
    spoken_symbols,
)
from corpora.text.letters import folded
from corpora.text.numbers import read_numbers
from corpora.text.tables import (
    APOSTROPHES,
    BLANKED,
    HTML_TAGS,
    INVISIBLE,
    NOISE_TAGS,
    REFUSED_SYMBOLS,
    SHORT_WORDS,
    SILENCE_TAGS,
    SKIP_TAGS,
    STYLES,
    UNINTELLIGIBLE_TAGS,
)
from native import Alphabet
from store.errors import UsageError

NORMALISER_VERSION = "2"

_PERCENT = re.compile(r"%(?:20|26|27|2C|2c|22)")
_PERCENT_TEXT = {"%20": " ", "%26": "&", "%27": "'", "%2C": ",", "%2c": ",", "%22": '"'}
_ANGLE = re.compile(r"<([^<>]*)>")
_DOUBLE_ROUND = re.compile(r"\(\((.*?)\)\)")
_OPTIONAL = re.compile(r"(?<!\()\([^()]+\)(?!\))")
_ROUND = re.compile(r"\(([^()]*)\)")
_SQUARE = re.compile(r"\[\[?([^\[\]]*)\]\]?")
_CURLY = re.compile(r"\{([^{}]*)\}")
_MUSIC = re.compile(r"[♪♫][^♪♫]*(?:[♪♫]|$)")
_LABEL = re.compile(r"(?:^|\n)\s*(?:-\s*)?[A-Z][A-Z .'-]{1,24}:(?=\s)")
_TED_TAIL = re.compile(r"\s*\([^\s()]*-\d+\.\d+-\d+\.\d+\)\s*$")
_VARIANT = re.compile(r"(?<=\w)\(\d\)")
_TOKEN = re.compile(r"(?:\[(?:[^\[\]]|\[[^\[\]]*\])*\]|\S)+")
_ALTERNATIVE = re.compile(r"^\[((?:[^\[\]/]|\[[^\[\]]*\])+)/[^\[\]]*\](.*)$")
_LAUGHED = re.compile(r"^\[laughter-(.+)\]$", re.IGNORECASE)
_INDEX = re.compile(r"_\d+(?=$|')")
_SPELLED = re.compile(r"^((?:[A-Za-z]\._)*[A-Za-z])\.('?s)?$")
_MAY_BE_NUMERIC = re.compile(r"[0-9]|[^\x00-\x7f]")
_REPEATED_QUOTE = re.compile(r"''+")
_PLAIN = re.compile(r"[a-z]+(?:'[a-z]+)*(?: [a-z]+(?:'[a-z]+)*)*")


@dataclass(frozen=True)
class Normalised:
    """Text within the alphabet. `text_scoring` is None where it equals `text`."""

    text: str
    text_scoring: str | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """Why a text must not be trained on; `check` is counted, `reason` is for a person."""

    check: str
    reason: str


class _Refusal(Exception):
    """Leaves the rules early; never leaves this module."""

    def __init__(self, check: str, reason: str) -> None:
        super().__init__(reason)
        self.refused = Refused(check, reason)


@dataclass(frozen=True)
class Policies:
    """Choices a corpus may make; the defaults refuse.

    Attributes:
        partial_words, uncertain: "reject" or "keep".
        unknown_words: `<unk>`: "reject", "drop", or "keep" as the word `unk`.
        numbers: "reject", "table" (the reviewed readings of transcript_rules.NUMBERS) or "spell" (the table,
            then num2words, flagged `numbers_spelled`).
        language: BCP 47; decides on lower case, symbols, numbers and whether accents are folded.
    """

    partial_words: str = "reject"
    uncertain: str = "reject"
    unknown_words: str = "reject"
    numbers: str = "reject"
    language: str = "en"


DEFAULT_POLICIES = Policies()


@dataclass
class _Notes:
    """What the rules noticed on the way."""

    flags: set[str] = field(default_factory=set)
    optional: set[str] = field(default_factory=set)  # words that a scorer may leave out


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
        self._labels = frozenset(alphabet_labels)
        self._language = self.policies.language
        self._folds = folds_accents(self._language)
        self._always = ("english_alphabet",) if borrows_english(self._language) else ()
        self._symbols = {sign: f" {word} " for sign, word in spoken_symbols(self._language).items()}
        self._english = self._labels >= frozenset("abcdefghijklmnopqrstuvwxyz' ")
        self._table = {ord(c): "'" for c in APOSTROPHES}
        self._table |= {ord(c): " " for c in BLANKED if c not in self._labels}

    def normalise(self, raw: str) -> Normalised | Refused:
        """The text in the alphabet, or why it is refused; never raises."""
        if self._english and _PLAIN.fullmatch(raw) and not self.style.clitics:
            return Normalised(raw, flags=self._always)
        notes = _Notes(set(self._always))
        try:
            text = self._prepare(raw)
            text = self._strict(text) if self.style.strict else self._tags(text, notes)
            words = self._spell(self._words(text, notes))
        except _Refusal as refusal:
            return refusal.refused
        if not words:
            if notes.flags & {"has_noise_tag", "editorial_dropped"}:
                return Refused("noise_only", f"nothing but tags or notes in {_quote(raw)}")
            return Refused("empty_text", f"no word in {_quote(raw)}")
        text = " ".join(words)
        scoring = " ".join(w for w in words if w not in notes.optional)
        if self.style.conversational and _OPTIONAL.search(raw):
            scoring = self._without_optional(raw)
        return Normalised(text, scoring if scoring != text else None, tuple(sorted(notes.flags)))

    def _without_optional(self, raw: str) -> str:
        """What is left to score where words in single parentheses may be said or not: `(UH)`."""
        bare = self.normalise(_OPTIONAL.sub(" ", raw))
        if isinstance(bare, Refused):
            return ""
        return bare.text if bare.text_scoring is None else bare.text_scoring

    def _prepare(self, raw: str) -> str:
        """NFC, entities of the web, no invisible signs, one kind of blank and apostrophe."""
        text = raw
        if self.style.web:
            if "%" in text:
                text = _PERCENT.sub(lambda m: _PERCENT_TEXT[m.group()], text)
            if "&" in text:
                text = html.unescape(html.unescape(text))
        if not text.isascii():
            text = INVISIBLE.sub("", unicodedata.normalize("NFC", text))
            text = "".join(" " if unicodedata.category(c) == "Zs" else c for c in text)
        for sign in APOSTROPHES:
            if sign in text:
                text = text.replace(sign, "'")
        return text

    def _strict(self, text: str) -> str:
        odd = sorted({c for c in lower(text, self._language) if c not in self._labels and not c.isspace()})
        if odd:
            raise _Refusal("bad_chars", f"{_signs(odd)} in a corpus that holds letters and apostrophes only")
        return text

    # --- tags -------------------------------------------------------------------------------------------

    def _tags(self, text: str, notes: _Notes) -> str:
        if "ignore_time_segment_in_scor" in text.lower():
            raise _Refusal("gap_marker", "a gap marker, not speech")
        if self.style.clitics:
            text = _VARIANT.sub("", _TED_TAIL.sub("", text))
        if self.style.web:
            text = self._notes_of_editors(text, notes)
        if "<" in text:
            text = _ANGLE.sub(lambda m: self._angle(m.group(1), notes), text)
        if "((" in text and not self.style.web:
            text = _DOUBLE_ROUND.sub(lambda m: self._double_round(m.group(1), notes), text)
        if "(%hesitation)" in text.lower():
            text = re.sub(r"\(%hesitation\)", " uh ", text, flags=re.IGNORECASE)
            notes.optional.add("uh")
        if "{" in text:
            text = _CURLY.sub(lambda m: self._curly(m.group(1), notes), text)
        if self.style.conversational:
            return " ".join(self._spoken_token(t, notes) for t in _TOKEN.findall(text))
        return _SQUARE.sub(lambda m: self._tag(m.group(1), notes), text) if "[" in text else text

    def _tag(self, name: str, notes: _Notes) -> str:
        """A tag by its name: dropped, or the reason to refuse."""
        plain = name.strip().lower().replace(" ", "-").strip("-")
        if plain in SILENCE_TAGS:
            return " "
        if plain in NOISE_TAGS or plain.removesuffix("s") in NOISE_TAGS:
            notes.flags.add("has_noise_tag")
            return " "
        if plain in SKIP_TAGS:
            raise _Refusal("skipped_speech", f"[[{plain}]]: speech that was not written down")
        if plain in UNINTELLIGIBLE_TAGS:
            raise _Refusal("unintelligible", f"[{plain}]: speech that nobody understood")
        if plain == "unk":
            if self.policies.unknown_words == "reject":
                raise _Refusal("unknown_word", "<unk>: a spoken word is missing in the text")
            if self.policies.unknown_words == "keep":
                notes.flags.add("unknown_kept")
                return " unk "
            notes.flags.add("unknown_dropped")
            return " "
        raise _Refusal("unknown_tag", f"tag {_quote(name)} is in no table")

    def _angle(self, inner: str, notes: _Notes) -> str:
        name = re.split(r"[\s.=]", inner.strip().strip("/").strip().lower(), maxsplit=1)[0]
        if self.style.web and name in HTML_TAGS:
            return " "
        if name == "contraction":
            return " "
        if "((" in inner or name in {"foreign", "lang"}:
            raise _Refusal("foreign", f"foreign words <{inner.strip()}>")
        return self._tag(name, notes)

    def _double_round(self, inner: str, notes: _Notes) -> str:
        if not inner.strip():
            raise _Refusal("unintelligible", "(( )): speech that nobody understood")
        if self.policies.uncertain == "reject":
            raise _Refusal("uncertain", f"(({inner.strip()})): the transcriber was not sure")
        notes.flags.add("uncertain_kept")
        return f" {inner} "

    def _curly(self, inner: str, notes: _Notes) -> str:
        plain = inner.strip().lower()
        if plain in NOISE_TAGS or plain in SILENCE_TAGS or not self.style.conversational:
            return self._tag(inner, notes)
        return f" {inner} "

    def _notes_of_editors(self, text: str, notes: _Notes) -> str:
        """What subtitlers and editors add to the words."""
        before = text
        if "♪" in text or "♫" in text:
            text = _MUSIC.sub(" ", text)
        if self.style.notes:
            text = _LABEL.sub(" ", text)
        if "(" in text:
            text = _ROUND.sub(self._parenthesis, text)
        if text != before:
            notes.flags.add("editorial_dropped")
        return text.replace("(", " ").replace(")", " ")

    def _parenthesis(self, match: re.Match[str]) -> str:
        """Read out in prose, a note in subtitles."""
        plain = match.group(1).strip().lower()
        if plain in UNINTELLIGIBLE_TAGS:
            raise _Refusal("unintelligible", f"({plain}): speech that nobody understood")
        note = self.style.notes or plain in NOISE_TAGS or plain.removesuffix("s") in NOISE_TAGS
        return " " if note else match.group()

    # --- tokens of conversations ------------------------------------------------------------------------

    def _spoken_token(self, token: str, notes: _Notes) -> str:
        """One token of a conversational transcript as the words that were said."""
        laughed, alternative = _LAUGHED.match(token), _ALTERNATIVE.match(token)
        if laughed and laughed.group(1).lower() not in NOISE_TAGS:
            return self._spoken_token(laughed.group(1), notes)
        if alternative:
            return self._spoken_token(alternative.group(1) + alternative.group(2), notes)
        square = _SQUARE.fullmatch(token)
        if square:
            return self._tag(square.group(1), notes)
        token = _INDEX.sub("", token)
        core = token.strip('.,?!;:"')
        if "[" in token or "]" in token or (core.strip("-") and (core.startswith("-") or core.endswith("-"))):
            return self._partial(token, notes)
        spelled = _SPELLED.match(token)
        if spelled:
            suffix = "'s" if spelled.group(2) else ""
            return " ".join(spelled.group(1).split("._")) + suffix
        if token[:1] == "~":
            letters = token[1:]
            short = len(letters) <= 3 and letters.isalpha() and letters.lower() not in SHORT_WORDS
            return " ".join(letters) if short else letters
        return token[1:] if token[:1] in "*%" else token

    def _partial(self, token: str, notes: _Notes) -> str:
        if self.policies.partial_words == "reject":
            raise _Refusal("partial_word", f"{_quote(token)} was not spoken in full")
        notes.flags.add("partial_kept")
        kept = re.sub(r"\[[^\[\]]*\]", "", token).strip("-[]")
        notes.optional.add(kept.lower())
        return kept

    # --- words and letters ------------------------------------------------------------------------------

    def _words(self, text: str, notes: _Notes) -> list[str]:
        """Blank-separated words; quotation marks gone, clitics joined, symbols spoken, digits decided."""
        if _MAY_BE_NUMERIC.search(text) and any(c.isnumeric() for c in text):
            text = self._numbers(text, notes)
        for sign, spoken in self._symbols.items():
            if sign in text:
                text = text.replace(sign, spoken)
        if not text.isalpha():
            odd = sorted(set(text) & REFUSED_SYMBOLS - self._labels)
            if odd:
                raise _Refusal("symbol", f"{_signs(odd)} has no certain spoken form")
        text = _REPEATED_QUOTE.sub(" ", text.translate(self._table))
        words = lower(text, self._language).split()
        if self.style.clitics:
            words = join_clitics(words)
        if self.style.web and "'" in text:
            words = unquote(words)
        return [w for w in words if w.strip("'")]

    def _numbers(self, text: str, notes: _Notes) -> str:
        said, spelled, odd = read_numbers(text, self.policies.numbers, self._language)
        if odd is not None:
            raise _Refusal("numbers", f"{_quote(odd)} can be read in more than one way")
        notes.flags |= {"numbers_spelled"} if spelled else set()
        return said

    def _spell(self, words: list[str]) -> list[str]:
        """Fold letters the alphabet lacks onto those it has; refuse the rest by name."""
        spelled, odd = folded(words, self._labels, self._folds)
        if odd:
            raise _Refusal("bad_chars", f"{_signs(sorted(odd))} not in the alphabet")
        return spelled


def _quote(text: str) -> str:
    short = text.strip()
    return f"'{short[:60]}…'" if len(short) > 60 else f"'{short}'"


def _signs(signs: Sequence[str]) -> str:
    return ", ".join(f"{s!r} (U+{ord(s):04X})" for s in signs[:8])


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
