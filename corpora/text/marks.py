"""Marks of transcripts: tags of noise and silence, uncertain and partial words, notes of editors, spelled letters.

A tag that is in no table refuses the text: what it stands for may have been words.
"""

from __future__ import annotations

import re

from corpora.text.brackets import replace_double_round, without_ted_tail
from corpora.text.outcome import Notes, Policies, Refusal, quote
from corpora.text.tables import (
    HTML_TAGS,
    NOISE_TAGS,
    SHORT_WORDS,
    SILENCE_TAGS,
    SKIP_TAGS,
    UNINTELLIGIBLE_TAGS,
    Style,
)

_ANGLE = re.compile(r"<([^<>]*)>")
_ROUND = re.compile(r"\(([^()]*)\)")
_SQUARE = re.compile(r"\[\[?([^\[\]]*)\]\]?")
_CURLY = re.compile(r"\{([^{}]*)\}")
_MUSIC = re.compile(r"[♪♫][^♪♫]*(?:[♪♫]|$)")
_LABEL = re.compile(r"(?:^|\n)[ \t]*(?:-[ \t]*)?[A-Z][A-Z .'-]{1,24}:(?=\s)")
_VARIANT = re.compile(r"(?<=\w)\(\d\)")
_HESITATION = re.compile(r"\(%hesitation\)|(?<!\S)%hesitation(?!\w)", re.IGNORECASE)
_PERCENT_WORD = re.compile(r"(?<!\S)\(?%[A-Za-z]\w*")
_TOKEN = re.compile(r"(?:\[(?:[^\[\]]|\[[^\[\]]*\])*\]|\S)+")
_ALTERNATIVE = re.compile(r"^\[((?:[^\[\]/]|\[[^\[\]]*\])+)/[^\[\]]*\](.*)$")
_LAUGHED = re.compile(r"^\[laughter-(.+)\]$", re.IGNORECASE)
_INDEX = re.compile(r"_\d+(?=$|')")
_SPELLED = re.compile(r"^((?:[A-Za-z]\._)*[A-Za-z])\.('?s)?$")


class Marks:
    """The marks of one style under a corpus's choices."""

    def __init__(self, style: Style, policies: Policies) -> None:
        self.style = style
        self.policies = policies

    def taken_off(self, text: str, notes: Notes) -> str:
        """The words of a text without its marks.

        Raises:
            Refusal: a mark says that words are missing or in doubt, or is not known.
        """
        if "ignore_time_segment_in_scor" in text.lower():
            raise Refusal("gap_marker", "a gap marker, not speech")
        if "%" in text:
            text = self._percent_words(text, notes)
        if self.style.clitics:
            text = _VARIANT.sub("", without_ted_tail(text))
        if self.style.web:
            text = self._notes_of_editors(text, notes)
        if "<" in text:
            text = _ANGLE.sub(lambda m: self._angle(m.group(1), notes), text)
        if "((" in text and not self.style.web:
            text = replace_double_round(text, lambda inner: self._double_round(inner, notes))
        if "{" in text:
            text = _CURLY.sub(lambda m: self._curly(m.group(1), notes), text)
        if self.style.conversational:
            return " ".join(self._spoken_token(t, notes) for t in _TOKEN.findall(text))
        return _SQUARE.sub(lambda m: self._tag(m.group(1), notes), text) if "[" in text else text

    def _percent_words(self, text: str, notes: Notes) -> str:
        """Words of NIST's that begin with a percent sign: a hesitation is said, others are marks, or words on the phone."""
        said = _HESITATION.sub(" uh ", text)
        if said != text:
            notes.optional.add("uh")
        mark = None if self.style.conversational else _PERCENT_WORD.search(said)
        if mark is not None:
            raise Refusal("unknown_tag", f"mark {quote(mark.group())} is in no table")
        return said

    def _tag(self, name: str, notes: Notes) -> str:
        """A tag by its name: dropped, or the reason to refuse."""
        plain = name.strip().lower().replace(" ", "-").strip("-")
        if plain in SILENCE_TAGS:
            return " "
        if plain in NOISE_TAGS or plain.removesuffix("s") in NOISE_TAGS:
            notes.flags.add("has_noise_tag")
            return " "
        if plain in SKIP_TAGS:
            raise Refusal("skipped_speech", f"[[{plain}]]: speech that was not written down")
        if plain in UNINTELLIGIBLE_TAGS:
            raise Refusal("unintelligible", f"[{plain}]: speech that nobody understood")
        if plain == "unk":
            if self.policies.unknown_words == "reject":
                raise Refusal("unknown_word", "<unk>: a spoken word is missing in the text")
            if self.policies.unknown_words == "keep":
                notes.flags.add("unknown_kept")
                return " unk "
            notes.flags.add("unknown_dropped")
            return " "
        raise Refusal("unknown_tag", f"tag {quote(name)} is in no table")

    def _angle(self, inner: str, notes: Notes) -> str:
        name = re.split(r"[\s.=]", inner.strip().strip("/").strip().lower(), maxsplit=1)[0]
        if self.style.web and name in HTML_TAGS:
            return " "
        if name == "contraction":
            return " "
        if "((" in inner or name in {"foreign", "lang"}:
            raise Refusal("foreign", f"foreign words <{inner.strip()}>")
        return self._tag(name, notes)

    def _double_round(self, inner: str, notes: Notes) -> str:
        if not inner.strip():
            raise Refusal("unintelligible", "(( )): speech that nobody understood")
        if self.policies.uncertain == "reject":
            raise Refusal("uncertain", f"(({inner.strip()})): the transcriber was not sure")
        notes.flags.add("uncertain_kept")
        return f" {inner} "

    def _curly(self, inner: str, notes: Notes) -> str:
        plain = inner.strip().lower()
        if plain in NOISE_TAGS or plain in SILENCE_TAGS or not self.style.conversational:
            return self._tag(inner, notes)
        return f" {inner} "

    def _notes_of_editors(self, text: str, notes: Notes) -> str:
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
            raise Refusal("unintelligible", f"({plain}): speech that nobody understood")
        note = self.style.notes or plain in NOISE_TAGS or plain.removesuffix("s") in NOISE_TAGS
        return " " if note else match.group()

    # --- tokens of conversations ------------------------------------------------------------------------

    def _spoken_token(self, token: str, notes: Notes) -> str:
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
        return token[1:] if token[:1] in "*%" and len(token) > 1 else token

    def _partial(self, token: str, notes: Notes) -> str:
        if self.policies.partial_words == "reject":
            raise Refusal("partial_word", f"{quote(token)} was not spoken in full")
        notes.flags.add("partial_kept")
        kept = re.sub(r"\[[^\[\]]*\]", "", token).strip("-[]")
        notes.optional.add(kept.lower())
        return kept
