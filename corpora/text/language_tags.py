"""What people write for a language, as a BCP 47 tag: codes of two and three letters, and English and own names.

`deu`, `ger`, `German`, `Deutsch` and `de_AT` are `de`, `de`, `de`, `de` and `de-AT`. A tag chooses an alphabet and
goes into file names of exports: what is none is refused here, in one place, whatever file it comes from.
"""

from __future__ import annotations

import re
from functools import cache

_TAG = re.compile(r"(?P<primary>[A-Za-z]{2,3})(?P<rest>(?:[-_][A-Za-z0-9]{2,8}){0,4})")
_LONGEST = 40
# Codes that ISO 639-2 has twice and CLDR does not list (bibliographic ones).
_BIBLIOGRAPHIC = {
    "alb": "sq", "arm": "hy", "baq": "eu", "bur": "my", "chi": "zh", "cze": "cs", "dut": "nl", "fre": "fr",
    "geo": "ka", "ger": "de", "gre": "el", "ice": "is", "mac": "mk", "mao": "mi", "may": "ms", "per": "fa",
    "rum": "ro", "slo": "sk", "tib": "bo", "wel": "cy",
}  # fmt: skip
_NAMED_THEMSELVES = (
    "ar ca cs cy da de el en es eu fi fr ga gl hi hu id is it ja ko nl no pl pt ro ru sv tr uk zh"
)


def language_tag(said: str) -> str:
    """The tag of a language.

    Raises:
        ValueError: neither a tag nor the name of a language; says what would be one.
    """
    text = " ".join(said.split())
    match = _TAG.fullmatch(text) if len(text) <= _LONGEST else None
    if match is not None:
        code = match["primary"].lower()
        if len(code) == 3:
            code = _BIBLIOGRAPHIC.get(code) or _aliases().get(code, code)
        parts = match["rest"].replace("_", "-").split("-")[1:]
        return "-".join([code, *(part.upper() if len(part) == 2 else part for part in parts)])
    if len(text) <= _LONGEST:
        name, _, place = text.partition("(")
        found = _names().get(name.strip().casefold())
        if found is not None and (not place or place.endswith(")")):
            return found
    raise ValueError(f"language {said[:40]!r} is no language tag; write BCP 47, for example de or pt-BR")


@cache
def _aliases() -> dict[str, str]:
    """Three letters → two, where both mean the same."""
    from babel.core import get_global

    aliases = dict(get_global("language_aliases"))
    return {old: new for old, new in aliases.items() if len(old) == 3 and len(new) == 2}


@cache
def _names() -> dict[str, str]:
    """English names of all languages, and how the frequent ones call themselves."""
    from babel import Locale

    english = Locale("en").languages
    names = {name.casefold(): code for code, name in sorted(english.items()) if len(code) <= 3}
    for code in _NAMED_THEMSELVES.split():
        own = Locale(code).languages.get(code)
        if own:
            names.setdefault(own.casefold(), code)
    return names
