"""Which report pages are behind their corpora; asked by schedules, renders nothing."""

from __future__ import annotations

from corpora.store import Store


def outdated_reports(store: Store | None = None) -> list[str]:
    """Names of the corpora whose page is missing or older than their current version."""
    store = store or Store.open()
    outdated = []
    for name in store.corpus_names():
        page = store.reports_dir / "corpora" / f"{name}.html"
        published_s = (store.corpora_dir / name / "current").lstat().st_mtime
        if not page.is_file() or page.stat().st_mtime <= published_s:
            outdated.append(name)
    return outdated
