"""The root of the project's error tree, and the errors of the native library.

    SpeechmillError              any failure that a command answers with one sentence
    └── NativeError              raised by the C++ library, text written there
        ├── NotBuiltError        the library itself is not there
        ├── AlphabetError        a character outside the alphabet, a broken alphabet file
        ├── ScorerError          language model or lexicon trie missing, damaged or not of one build
        ├── DecodeError          log-probabilities of a wrong shape, type or value
        ├── FlacError            a FLAC file that is truncated, damaged or of an unknown kind
        └── SphereError          a SPHERE file that is truncated, damaged or of an unknown kind
            └── SphereChecksumError  all samples are there, but they do not have the header's sum

Every class carries the exit status its command ends with. The other packages grow their own branches
from `SpeechmillError`; this module imports nothing, so that it can stand at the bottom of the arrows.
"""

from __future__ import annotations


class SpeechmillError(Exception):
    """A failure with a cause that the person in front of the machine can act on."""

    exit_status = 1


class NativeError(SpeechmillError):
    """A failure inside the C++ library."""


class NotBuiltError(NativeError):
    """The C++ library is needed and was not built, or was built for another Python."""


class AlphabetError(NativeError):
    """A text or an alphabet file that does not fit; names the character or the line."""


class ScorerError(NativeError):
    """A language model directory that cannot be used; names the part and what mends it."""


class DecodeError(NativeError):
    """Log-probabilities or decoder settings that cannot be decoded; names value and place."""


class FlacError(NativeError):
    """A FLAC file that cannot be decoded in full; names frame, byte and what does not agree.

    Attributes:
        kind: "corrupt" (damage, also data that end inside a frame), "truncated" (whole frames are missing at
            the end), "md5" (all is there, but not with the stated sum), "unsupported", "too_big".
    """

    def __init__(self, message: str, kind: str = "corrupt") -> None:
        super().__init__(message)
        self.kind = kind

    def __reduce__(self) -> tuple[type[FlacError], tuple[str, str]]:
        return FlacError, (str(self), self.kind)


class SphereError(NativeError):
    """A SPHERE file that cannot be read in full; names the file, the place and the likely cause."""


class SphereChecksumError(SphereError):
    """A SPHERE file whose samples do not have the checksum of its header; names both sums."""
