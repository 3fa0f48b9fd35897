"""Somebody's KenLM binary: which words it knows, where the file says so, else from a list that a person gives.

KenLM writes the words behind the tables, each ended by a zero byte, `<unk>` first, unless `build_binary -v` left
them out. The tables are read by `native`, not here.
"""

from __future__ import annotations

import struct
from pathlib import Path

from lm.errors import LanguageModelUsageError, TextSourceError
from lm.kenlm import SPECIAL_WORDS
from lm.text.files import refuse_pointer
from native import LanguageModel

MAGIC = b"mmap lm http://kheafield.com/code format version"
KINDS = ("probing", "rest probing", "trie", "quantised trie", "array trie", "quantised array trie")
_PARAMETERS = struct.Struct("<BxxxfIBxxxI")  # order, multiplier, kind, has words, version of the search
_HEADER_BYTES = 88  # magic, padded, with the numbers that prove size and byte order of floats and integers
_FIRST_READ_BYTES = 1 << 20


def check(path: Path) -> tuple[str, bool]:
    """Refuses what is no KenLM binary before anything maps it; its kind, and whether its words are inside.

    Raises:
        TextSourceError: missing, empty, a pointer, an ARPA file, something else.
    """
    refuse_pointer(path)
    with path.open("rb") as file:
        start = file.read(_HEADER_BYTES + _PARAMETERS.size)
    if b"\\data\\" in start or start[:2] in (b"\x1f\x8b", b"BZ", b"\xfd7"):
        raise TextSourceError(
            f"{path} is an ARPA file or packed: an ARPA file is given by --arpa, packed or not"
        )
    if not start.startswith(MAGIC) or len(start) < _HEADER_BYTES + _PARAMETERS.size:
        raise TextSourceError(f"{path} does not begin as a KenLM binary does")
    _, _, kind, has_words, _ = _PARAMETERS.unpack_from(start, _HEADER_BYTES)
    return KINDS[kind] if kind < len(KINDS) else f"kind {kind}", bool(has_words)


def words_inside(path: Path, model: LanguageModel) -> list[str]:
    """The words written behind the tables, without the marks.

    Raises:
        TextSourceError: they are not there although the file says so.
    """
    size, count = path.stat().st_size, model.vocabulary_size
    length = min(size, _FIRST_READ_BYTES)
    with path.open("rb") as file:
        while True:
            file.seek(size - length)
            pieces = file.read(length).split(b"\x00")
            if len(pieces) > count + 1 or length == size:
                break
            length = min(size, 4 * length)
    strings = pieces[-count - 1 : -1]
    try:
        words = [piece.decode("utf-8") for piece in strings[1:]]
    except UnicodeDecodeError:
        words = []
    if pieces[-1] or len(strings) != count or not strings[0].endswith(b"<unk>") or not words:
        raise TextSourceError(
            f"{path} says that it holds its words, and they are not at its end: it was cut short"
        )
    return [word for word in words if word and word not in SPECIAL_WORDS]


def words_of_list(path: Path, model: LanguageModel) -> tuple[list[str], int]:
    """The words of a list (one a line, or `word number` as Kaldi's words.txt) that the model knows, and how many it
    does not.

    Raises:
        TextSourceError: it cannot be read. LanguageModelUsageError: the model knows none of them.
    """
    refuse_pointer(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise TextSourceError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise TextSourceError(f"{path} is not UTF-8 (byte {error.start}): save it as UTF-8") from None
    listed = dict.fromkeys(line.split()[0] for line in text.split("\n") if line.strip())
    words = [word for word in listed if word not in SPECIAL_WORDS]
    known = [word for word in words if not model.score_sentence(word)[0][2]]
    if not known:
        raise LanguageModelUsageError(
            f"the model knows none of the {len(words):,} words of {path}: is it the list of this model, in the same "
            "capitals?"
        )
    return known, len(words) - len(known)
