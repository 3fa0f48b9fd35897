"""A set of words that is asked for beginnings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_HAS_VALUE, _HAS_SUBTRIE = 1, 2


class CharTrie:
    """Words by their letters; the part of pygtrie's CharTrie that a decoder needs.

    Every beginning is a key of one dictionary, with the shortest word that has it: a question costs one look-up.
    """

    def __init__(self, words: Iterable[str] = ()) -> None:
        self._words: dict[str, None] = dict.fromkeys(words)
        self._shortest: dict[str, str] = {}
        self._inner: set[str] = set()
        for word in sorted(self._words, key=len):
            for end in range(len(word) + 1):
                self._shortest.setdefault(word[:end], word)
                if end < len(word):
                    self._inner.add(word[:end])

    @classmethod
    def fromkeys(cls, keys: Iterable[str]) -> CharTrie:
        """Of these words."""
        return cls(keys)

    def has_node(self, key: str) -> int:
        """0 where no word begins so; else 1 for a word, 2 for a beginning, 3 for both."""
        return _HAS_VALUE * (key in self._words) + _HAS_SUBTRIE * (key in self._inner)

    def iterkeys(self, prefix: str = "", shallow: bool = False) -> Iterator[str]:
        """The words with this beginning, the shortest first; with `shallow` that one alone.

        Raises:
            KeyError: no word begins so.
        """
        if prefix not in self._shortest:
            raise KeyError(prefix)
        if shallow:
            yield self._shortest[prefix]
            return
        yield from sorted((word for word in self._words if word.startswith(prefix)), key=len)

    def __len__(self) -> int:
        return len(self._words)
