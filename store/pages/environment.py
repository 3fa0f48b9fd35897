"""One jinja environment for every page: templates of a room beside the shared ones, figures written in one way.

Thousands are parted by a narrow space (`1 750`), shares end in ` %`, speech is told in hours from six minutes on and
in minutes below. `shell.html` and `style.css` are the shared frame; styles and pictures stand inside the page.
"""

from __future__ import annotations

from pathlib import Path

import jinja2

THIN, UNBROKEN = "\u202f", "\u00a0"
SHARED = Path(__file__).parent / "templates"


def page_environment(templates: Path) -> jinja2.Environment:
    """The environment of a room's templates; an unknown name is an error, every value is escaped."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader([templates, SHARED]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(count=count, number=count, hours=hours, percent=percent, share=share, size=size)
    return made


def count(value: float | None) -> str:
    """A whole number: `1 750`; other figures keep what they have behind the point."""
    return "–" if value is None else f"{value:,}".replace(",", THIN)


def hours(value: float | None) -> str:
    """Hours of speech: `2.15 h`, below a tenth `4.2 min`."""
    if value is None:
        return "–"
    return f"{value:,.2f}{UNBROKEN}h".replace(",", THIN) if value >= 0.1 else f"{value * 60:.1f}{UNBROKEN}min"


def percent(value: float | None) -> str:
    """A rate: `15.34 %`."""
    return "–" if value is None else f"{100 * value:.2f}{UNBROKEN}%"


def share(part: float, whole: float) -> str:
    """A part of a whole: `12.5 %`; of nothing: –."""
    return f"{100 * part / whole:.1f}{UNBROKEN}%" if whole else "–"


def size(value: float) -> str:
    """Bytes for people."""
    return f"{value / 1e6:,.1f} MB".replace(",", THIN) if value >= 1e5 else f"{count(int(value))} bytes"
