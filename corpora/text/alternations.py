"""Alternations of NIST's transcripts, `{ it's / it is }`: the first is learnt, all of them count in scoring.

`@` stands for nothing said. Alternations inside each other are not written by anybody and stay as they are.
"""

from __future__ import annotations

import re

_ALTERNATION = re.compile(r"\{([^{}]*\s/\s[^{}]*|[^{}]*\s/|/\s[^{}]*)\}")
NOTHING = "@"


def pieces(raw: str) -> list[str | tuple[str, ...]]:
    """A text as what stands outside of alternations and, as tuples, their alternatives ("" = nothing)."""
    if "{" not in raw or "/" not in raw:
        return [raw]
    found: list[str | tuple[str, ...]] = []
    at = 0
    for match in _ALTERNATION.finditer(raw):
        found.append(raw[at : match.start()])
        parts = (part.strip() for part in re.split(r"(?:^|\s)/(?=\s|$)", match[1]))
        found.append(tuple("" if part == NOTHING else part for part in parts))
        at = match.end()
    found.append(raw[at:])
    return found


def first_of(parts: list[str | tuple[str, ...]]) -> str:
    """The text with the first alternative of each."""
    return " ".join(part if isinstance(part, str) else part[0] for part in parts)


def joined(parts: list[str | tuple[str, ...]]) -> str:
    """The text with all alternatives as NIST writes them; those that are the same stand once."""
    words = []
    for part in parts:
        if isinstance(part, str):
            words.append(part)
            continue
        known = list(dict.fromkeys(part))
        if len(known) == 1:
            words.append(known[0])
        else:
            words.append("{ " + " / ".join(text or NOTHING for text in known) + " }")
    return " ".join(word for word in words if word)
