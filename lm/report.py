"""The page a person reads about a language model: one self-contained HTML file in the store's reports.

Shows what the manifest says: orders and n-grams, sizes, perplexity and unknown words per corpus, what was
left out of the text and why. It measures nothing itself; every request stays inside the page.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2

from corpora import Store
from corpora.store import write_bytes_atomic
from lm.build import read_manifest


def render(manifest: dict[str, Any]) -> str:
    """The report of one manifest as HTML; every value is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = lambda value: f"{value:,}"
    environment.filters["percent"] = lambda value: "–" if value is None else f"{100 * value:.2f} %"
    environment.filters["perplexity"] = lambda value: "–" if value is None else f"{value:,.1f}"
    environment.filters["size"] = lambda value: (
        f"{value / 1e6:,.1f} MB" if value > 1e6 else f"{value:,} bytes"
    )
    return environment.get_template("language_model.html").render(model=manifest)


def write_report(store: Store, name: str) -> Path:
    """Writes `<store>/reports/language_models/<name>.html`. Raises NotPublishedError."""
    manifest = read_manifest(store.language_model(name))
    path = store.reports_dir / "language_models" / f"{name}.html"
    write_bytes_atomic(path, render(manifest).encode("utf-8"))
    return path
