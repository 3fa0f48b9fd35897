"""How every page writes a figure: as commands and messages do, so that a figure can be looked for as it stands.

Thousands are parted by a comma (`1,750`), a share is a figure, an unbroken blank and `%`, speech is told in hours from six
minutes on and in minutes below.
"""

from __future__ import annotations

UNBROKEN = "\u00a0"  # between a figure and its unit: never on a line of its own


def count(value: float | None) -> str:
    """A whole number: `1,750`; other figures keep what they have behind the point."""
    return "–" if value is None else f"{value:,}"


def hours(value: float | None) -> str:
    """Hours of speech: `2.15 h`, below a tenth `4.2 min`."""
    if value is None:
        return "–"
    return f"{value:,.2f}{UNBROKEN}h" if value >= 0.1 else f"{value * 60:.1f}{UNBROKEN}min"


def percent(value: float | None, places: int = 2) -> str:
    """A rate: `15.34 %`."""
    return "–" if value is None else f"{100 * value:.{places}f}{UNBROKEN}%"


def share(part: float, whole: float) -> str:
    """A part of a whole: `12.5 %`; of nothing: –."""
    return percent(part / whole, 1) if whole else "–"


def size(value: float) -> str:
    """Bytes for people."""
    return f"{value / 1e6:,.1f}{UNBROKEN}MB" if value >= 1e5 else f"{count(int(value))}{UNBROKEN}bytes"
