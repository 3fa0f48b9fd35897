"""The tables behind transcript.py: tags, letters, punctuation and word lists, as data.

Change a table and raise `NORMALISER_VERSION` in transcript.py with it. No behaviour lives here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Tokens without sound of words: the word sequence stays true without them.
SILENCE_TAGS = _words("silence sil b_aside e_aside pause")
NOISE_TAGS = _words(
    "noise laughter laugh laughs sigh cough mn breath lipsmack sneeze vocalized-noise smack music applause "
    "cheering cheers applauds background-noise ringing click beep sniff throat-clearing cry whistle"
)
# Speech was there but is not written down: the text would be false.
SKIP_TAGS = _words("skip disfluency")
UNINTELLIGIBLE_TAGS = _words("inaudible unintelligible indiscernible crosstalk unclear")
HTML_TAGS = _words("br i b u em strong font c v span p ruby rt lang small big sup sub tt s")

# `'em`, `'cause`: words that begin with an apostrophe, so never a suffix and never a quotation mark.
LEADING_APOSTROPHE = _words("em cause til till tis twas twere kay bout round n neath gainst ere nuff scuse")
# Words that end with one although they end neither in s nor in in.
TRAILING_APOSTROPHE = _words("o an th ol wi n t d")
CLITICS = ("'s", "'t", "'m", "'re", "'ve", "'ll", "'d", "n't")
SHORT_WORDS = _words(
    "a i oh ok no so go he she it is in on at an as am be by do if me my of or to up us we the and you are "
    "was has had him her his its our out for not but can did get got how may new now old one see two way who"
)

REFUSED_SYMBOLS = frozenset("$€£¥#=*^<>|~\\§©®™¢[]{}&%@+°")
APOSTROPHES = "’‘ʼʻ´`′＇‛ʹ׳"
INVISIBLE = re.compile("[\ufeff\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069]")
BLANKED = '“”„‟«»‹›"‚‗—–‒―‐‑−-_…/.,;:?!¿¡·•()♪♫。、，！？；：「」『』《》【】（）・।'
BLANKED += "،؛؟۔॥־׀׃״፠፡።፣፤፥፦፧፨՝՞՜։჻〈〉〔〕〖〗〝〞、﹏᠂᠃།༎፡၊။។៕๏๚๛·‥ʺ″"
LETTERS = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "þ": "th", "ð": "th", "ı": "i",
    "ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st",
}  # fmt: skip

# Reviewed readings for `numbers="table"`: digits whose spoken form is certain.
NUMBERS = {
    "401k": "four oh one k",
    "f16": "f sixteen",
    "m16": "m sixteen",
    "ak47": "a k forty seven",
    "v8": "v eight",
    "y2k": "y two k",
    "mp3": "m p three",
    "vh1": "v h one",
    "90210": "nine oh two one oh",
    "espn2": "e s p n two",
    "u2": "u two",
    "911": "nine one one",
    "9/11": "nine eleven",
    "24/7": "twenty four seven",
}


@dataclass(frozen=True)
class Style:
    """How one family of transcripts is written.

    Attributes:
        strict: letters, apostrophe and blank only; anything else is an error of the corpus.
        conversational: square brackets inside words, `((…))`, partial words, spelled letters.
        clitics: `it 's` is one word.
        web: HTML entities and tags, quotation marks, editorial brackets.
        notes: text in parentheses is a note (`(door slams)`), `JOHN:` a label: both dropped.
    """

    strict: bool = False
    conversational: bool = False
    clitics: bool = False
    web: bool = False
    notes: bool = False


STYLES = {
    "librispeech": Style(strict=True),
    "tedlium": Style(clitics=True),
    "fisher": Style(conversational=True),
    "switchboard": Style(conversational=True),
    "common_voice": Style(web=True),
    "verbatim": Style(web=True),
    "subtitle": Style(web=True, notes=True),
}
