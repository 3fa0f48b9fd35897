"""The page a person reads about a language model: one self-contained HTML file in the store's reports.

Shows what the manifest says: orders and n-grams, sizes, perplexity and unknown words per corpus, what was
left out of the text and why, the worst sentences, and the curve of a sweep. It measures nothing itself; every
request stays inside the page. The same figures lie beside it as JSON.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2

from lm.model.folder import read_manifest
from lm.pages.curve import curve, title
from store.pages.environment import page_environment
from store.store import Store
from store.writing import read_json, write_bytes_atomic, write_json_atomic


def render(manifest: dict[str, Any], sweep: dict[str, Any] | None = None) -> str:
    """The report of one manifest as HTML, with the curve of a sweep where there is one; all is escaped."""
    return _environment().get_template("language_model.html").render(model=manifest, sweep=sweep)


def render_sweep(sweep: dict[str, Any]) -> str:
    """The page of a sweep alone."""
    return _environment().get_template("sweep.html").render(sweep=sweep)


def _environment() -> jinja2.Environment:
    environment = page_environment(Path(__file__).parent / "templates")
    environment.globals.update(curve=curve, title=title)
    environment.filters["perplexity"] = lambda value: "–" if value is None else f"{value:,.1f}"
    return environment


def write_report(store: Store, name: str) -> Path:
    """Writes `<store>/reports/language_models/<name>.html` and `.json`. Raises NotPublishedError."""
    manifest = {"ngrams_before_pruning": [], **read_manifest(store.language_model(name))}
    manifest["dev"] = {"worst": [], **manifest["dev"]}
    folder = store.reports_dir / "language_models"
    measured = folder / f"sweep-{name}.json"
    sweep = read_json(measured) if measured.is_file() else None
    path = folder / f"{name}.html"
    write_json_atomic(folder / f"{name}.json", {**manifest, "sweep": sweep})
    write_bytes_atomic(path, render(manifest, sweep).encode("utf-8"))
    return path
