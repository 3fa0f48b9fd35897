"""Which share of the utterances a run leaves out: `2/5` is the second of five, told by the hash of the sound.

Utterances of the same sound are in the same share, whatever they are called and in whichever corpus they stand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_FORM = re.compile(r"([1-9]\d{0,2})/([1-9]\d{0,2})")


def is_share(text: str) -> bool:
    """Whether a text names a share: "" (none), or `i/k` with i ≤ k and k from 2 to 100."""
    found = _FORM.fullmatch(text)
    return not text or (found is not None and int(found[1]) <= int(found[2]) and 2 <= int(found[2]) <= 100)


def in_share(audio_sha256: Sequence[str], share: str) -> npt.NDArray[np.bool_]:
    """Which sounds are in a share, bool [sounds].

    Args:
        audio_sha256: hex digits of each. share: `i/k`, see `is_share`.
    """
    number, count = (int(part) for part in share.split("/"))
    return np.array([int(one[:12], 16) % count == number - 1 for one in audio_sha256], bool)
