"""Charts that a person can point at, zoom and lay on a logarithmic axis, in pages that nothing leaves.

The drawing is BokehJS's, taken from the installed package `bokeh` and put into the page whole; `charts.js` beside the
shared templates says what to draw. Both run by the hash of their text, so a page's policy admits them and no other script.
Every chart has its figures as a table beneath it, which needs no script.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from markupsafe import Markup

from store.errors import StoreError
from store.pages.environment import SHARED

_PARTS = ("bokeh.min.js", "bokeh-api.min.js")


@dataclass(frozen=True)
class Bins:
    """Counts between edges.

    Attributes:
        edges: n + 1 rising numbers. counts: by series, n each.
    """

    edges: Sequence[float]
    counts: Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class Chart:
    """One chart: counts by a figure (`bins`; `log_bins` too where it is always above 0) or values by a name (`bars`).

    Attributes:
        along: what the axis below shows, with its unit. up: what the axis to the left shows.
        says: the sentence beneath it. head, rows: its figures as a table.
        names, bars: the names below and, by series, a value for each.
    """

    title: str
    along: str
    up: str
    says: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    bins: Bins | None = None
    log_bins: Bins | None = None
    names: Sequence[str] = ()
    bars: Mapping[str, Sequence[float]] | None = None


@cache
def scripts() -> tuple[Markup, ...]:
    """The texts of the scripts, in the order in which they run.

    Raises:
        StoreError: the package bokeh is not installed.
    """
    spec = find_spec("bokeh")
    if spec is None or spec.origin is None:
        raise StoreError(
            "the package bokeh, which draws the charts of the pages, is not installed: make setup"
        )
    folder = Path(spec.origin).parent / "server/static/js"
    texts = [(folder / part).read_text(encoding="utf-8") for part in _PARTS]
    texts.append((SHARED / "charts.js").read_text(encoding="utf-8"))
    return tuple(Markup(text) for text in texts)


@cache
def script_sources() -> str:
    """What a policy's `script-src` says so that these scripts run and nothing else does."""
    digests = (hashlib.sha256(text.encode()).digest() for text in scripts())
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


def drawn_by() -> str:
    """Name and version of the library."""
    return f"Bokeh {version('bokeh')}"


def as_json(charts: Sequence[Chart]) -> Markup:
    """What `charts.js` reads, as it may stand inside a script element: no `<` in it."""
    shown = [
        {key: value for key, value in asdict(one).items() if key not in ("says", "head", "rows")}
        for one in charts
    ]
    return Markup(json.dumps(shown, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c"))
