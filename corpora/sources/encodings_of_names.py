"""Names of files in whatever encoding they were written: UTF-8, Japanese, or an older one of the West.

Zips from Windows carry the machine's own encoding without naming it, tars and folders any bytes at all. The encoding is
guessed for all names of an archive together, from what the letters would be; a wrong guess costs a strange
name, never a file.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

_SIGNS = "\u3041-\u30ff\u4e00-\u9fff"
_JAPANESE = re.compile(f"[{_SIGNS}]+")
_SEAM = re.compile(f"(?<=[A-Za-z])[{_SIGNS}]|[{_SIGNS}](?=[A-Za-z])")
_ODD = re.compile("[\udc80-\udcff]")


def decoded_names(raw: Sequence[bytes]) -> list[str]:
    """Names as text: each that is UTF-8 as such, the others in the one encoding that fits them best."""
    others = [name for name in raw if not _is_utf8(name)]
    encoding = _best(others)
    return [name.decode("utf-8" if _is_utf8(name) else encoding) for name in raw]


def readable_names(names: Iterable[str]) -> dict[str, str]:
    """Better names for those with bytes that are no UTF-8 (as Python's file systems and tars hand them over)."""
    odd = [name for name in names if _ODD.search(name)]
    decoded = decoded_names([name.encode("utf-8", "surrogateescape") for name in odd])
    return dict(zip(odd, decoded, strict=True))


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _best(names: Sequence[bytes]) -> str:
    """cp932 where it gives Japanese words; else of cp437 and cp1252 the one that gives more Latin letters."""
    if _is_japanese(names):
        return "cp932"
    windows = "cp1252" if _fits(names, "cp1252") else "latin-1"
    west = ("cp437", windows)
    return max(west, key=lambda encoding: sum(_latin_letters(name.decode(encoding)) for name in names))


def _fits(names: Sequence[bytes], encoding: str) -> bool:
    try:
        for name in names:
            name.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _is_japanese(names: Sequence[bytes]) -> bool:
    """Words of two signs or more, not single ones between Latin letters as accents would give."""
    if not names or not _fits(names, "cp932"):
        return False
    text = "\n".join(name.decode("cp932") for name in names)
    inside = sum(len(word) for word in _JAPANESE.findall(text) if len(word) > 1)
    return inside > len(_SEAM.findall(text))


def _latin_letters(name: str) -> int:
    """How many signs beyond ASCII are Latin letters."""
    return sum(not sign.isascii() and unicodedata.name(sign, "").startswith("LATIN") for sign in name)
