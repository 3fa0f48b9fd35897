"""One jinja environment for every page: templates of a room beside the shared ones, figures written in one way (numbers.py).

`shell.html` and `style.css` are the shared frame; styles and pictures stand inside the page.
"""

from __future__ import annotations

from pathlib import Path

import jinja2

from store.pages.numbers import count, hours, percent, share, size
from store.pages.signs import written_out

SHARED = Path(__file__).parent / "templates"


def page_environment(templates: Path) -> jinja2.Environment:
    """The environment of a room's templates; an unknown name is an error, every value is escaped.

    Signs that nobody sees are written out, so that none turns what stands beside it.
    """
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader([templates, SHARED]),
        autoescape=True,
        finalize=written_out,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(count=count, number=count, hours=hours, percent=percent, share=share, size=size)
    return made
