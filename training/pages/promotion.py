"""The page and the question of a promotion: the candidate and the released model side by side on the same test sets."""

from __future__ import annotations

from pathlib import Path

from store.pages.numbers import percent
from store.store import Store
from store.writing import write_bytes_atomic
from training.pages.environment import SHORT_NAMES, environment
from training.release.decision import Compared, Verdict
from training.release.registry import Registry


def write_promotion(store: Store, verdict: Verdict) -> Path:
    """Write `<store>/reports/models/<candidate>.html`; answers the path."""
    registry = Registry(store)
    path = store.reports_dir / "models" / f"{verdict.candidate}.html"
    html = (
        environment()
        .get_template("promotion.html")
        .render(
            verdict=verdict,
            candidate=registry.model(verdict.candidate).manifest,
            released=None if verdict.released is None else registry.model(verdict.released).manifest,
            short_names=SHORT_NAMES,
        )
    )
    write_bytes_atomic(path, html.encode())
    return path


def question(verdict: Verdict) -> str:
    """What a person reads beside the two buttons, as Markdown."""
    against = f" beside the released model **{verdict.released}**" if verdict.released else ""
    lines = [
        f"Candidate **{verdict.candidate}**{against}: {verdict.says}.",
        "",
        "| test set | released | candidate | difference, points | 95 % interval | p |",
        "|---|---|---|---|---|---|",
        *(_line(one) for one in [*verdict.rows, *([verdict.total] if verdict.total else [])]),
        "",
        "[By utterance and with sound, under Speech](/plugin/speech/models). "
        "Without an answer until the deadline the candidate is rejected.",
    ]
    return "\n".join(lines)


def _line(one: Compared) -> str:
    name = f"{one.corpus} {one.split}".strip().replace("|", "\\|")
    before = percent(one.before)
    difference = "–" if one.difference is None else f"{100 * one.difference:+.2f}"
    interval = "–"
    if one.difference_interval is not None:
        low, high = one.difference_interval
        interval = f"{100 * low:+.2f} … {100 * high:+.2f}"
    chance = "–" if one.p is None else f"{one.p:.3f}"
    return f"| {name} | {before} | {percent(one.after)} | {difference} | {interval} | {chance} |"
