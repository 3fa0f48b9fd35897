"""Signs that nobody sees and that turn or hide what stands round them, written out on pages."""

from __future__ import annotations

import re
from typing import Any

# Controls, line and paragraph separators, marks and overrides of the writing direction, joiners and blanks of no width.
_HIDDEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


def written_out(value: Any) -> Any:
    """A text with `[U+202E]` in the place of every such sign; markup of ours and what is no text as it is."""
    if isinstance(value, str) and not hasattr(value, "__html__") and _HIDDEN.search(value):
        return _HIDDEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", value)
    return value
