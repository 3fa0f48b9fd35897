"""One self-contained page of a score: rates by every normaliser, speakers, labels, mistakes, the worst utterances.

No scripts, no requests; every text of a file is escaped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from scoring.score import Counts, Score, Step
from store.pages.numbers import count as told
from store.pages.numbers import percent
from store.pages.signs import written_out

_WORST = 40
_SPEAKERS = 60  # shown at most, those of most words
_MISTAKES = 20
_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1c2430;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;margin:.5rem 0}
td,th{padding:.2rem .7rem;text-align:right;border-bottom:1px solid #d5dae1}td:first-child,th:first-child{text-align:left}
.big{font-size:2.2rem;font-weight:600}.S{background:#fde8c8}.D{background:#fbd5d5;text-decoration:line-through}
.I{background:#d9ecff}.u{margin:.6rem 0;overflow-wrap:anywhere}.id{color:#5b6675;font-size:.85rem}
@media(prefers-color-scheme:dark){body{background:#14181f;color:#dde3ea}td,th{border-color:#38414d}
.S{background:#5a4314}.D{background:#5c2626}.I{background:#1f3f5f}.id{color:#9aa6b5}}
"""


def render(scores: Sequence[Score], interval: tuple[float, float], versus: Mapping[str, Any] | None) -> str:
    """The page of one pair of files; the first score is the one shown in full, the others are rows of a table."""
    score = scores[0]
    low, high = (percent(value) for value in interval)
    total = score.total
    parts = [
        f"<h1>{_shown(score.request.hypothesis.name)} against {_shown(score.request.reference.name)}</h1>",
        f"<p><span class=big>{percent(total.wer)}</span> word error rate, 95 % interval {low} to {high}; "
        f"{told(total.words)} words in {told(total.utterances)} utterances, "
        f"normaliser {_shown(score.request.normaliser)}</p>",
        *(f"<p>{_shown(note)}</p>" for note in score.notes),
        _counts_table("Normaliser", ((one.request.normaliser, one.total) for one in scores)),
        _versus(versus),
        _section("Speakers", _counts_table("Speaker", _most_spoken(score.speakers()))),
    ]
    if labels := score.labels():
        parts.append(_section("Labels", _counts_table("Label", labels.items())))
    paths = [(pair, score.path(pair)) for pair in score.pairs]
    parts.append(_section("Most frequent mistakes", _mistakes(step for _, steps in paths for step in steps)))
    ranked = sorted(
        zip(paths, score.counts, strict=True), key=lambda item: (-sum(item[1][1:]), item[0][0].id)
    )
    worst = [_utterance(pair.id, steps) for (pair, steps), counts in ranked[:_WORST] if sum(counts[1:])]
    parts.append(_section("Utterances with most errors", "".join(worst) or "<p>none</p>"))
    title = f"{percent(total.wer)} {_shown(score.request.hypothesis.name)}"
    return (
        f'<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width">'
        f"<title>{title}</title><style>{_STYLE}</style>{''.join(parts)}</html>\n"
    )


def _shown(text: str) -> str:
    return escape(str(written_out(text)))


def _section(title: str, inner: str) -> str:
    return f"<h2>{_shown(title)}</h2>{inner}"


def _counts_table(first: str, rows: Iterable[tuple[str, Counts]]) -> str:
    head = "".join(
        f"<th>{name}</th>"
        for name in (first, "Words", "Substituted", "Missing", "Added", "WER", "Utterances with errors")
    )
    body = "".join(
        f"<tr><td>{_shown(name)}</td><td>{told(one.words)}</td><td>{told(one.substitutions)}</td><td>{told(one.deletions)}</td>"
        f"<td>{told(one.insertions)}</td><td>{percent(one.wer)}</td><td>{told(one.utterances_wrong)} of "
        f"{told(one.utterances)}</td></tr>"
        for name, one in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _most_spoken(speakers: Mapping[str, Counts]) -> list[tuple[str, Counts]]:
    return sorted(speakers.items(), key=lambda item: (-item[1].words, item[0]))[:_SPEAKERS]


def _versus(versus: Mapping[str, Any] | None) -> str:
    if versus is None:
        return ""
    low, high = (f"{100 * value:+.2f}" for value in versus["difference_interval"])
    p_pairs = versus["p_matched_pairs"]
    return (
        f"<p>Against {_shown(versus['against'])}: {100 * versus['difference']:+.2f} points (95 % interval {low} to "
        f"{high}); p = {versus['p_bootstrap']:.4f} (bootstrap), "
        f"{'–' if p_pairs is None else f'{p_pairs:.4f}'} (matched pairs), {versus['p_mcnemar']:.4f} (McNemar)</p>"
    )


def _mistakes(steps: Iterable[Step]) -> str:
    counted: Counter[tuple[str, str, str]] = Counter(
        (kind, said or "", heard or "") for kind, said, heard, _, _ in steps if kind != "C"
    )
    names = {"S": "substituted", "D": "missing", "I": "added"}
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:_MISTAKES]
    rows = "".join(
        f"<tr><td>{_shown(said)}</td><td>{_shown(heard)}</td><td>{names[kind]}</td><td>{told(count)}</td></tr>"
        for (kind, said, heard), count in ranked
    )
    return f"<table><tr><th>Said</th><th>Heard</th><th></th><th>Times</th></tr>{rows}</table>"


def _utterance(name: str, steps: Sequence[Step]) -> str:
    words = []
    for kind, said, heard, _, _ in steps:
        text = f"{said or ''}→{heard or ''}" if kind == "S" else (said or heard or "")
        words.append(_shown(text) if kind == "C" else f"<span class={kind}>{_shown(text)}</span>")
    return f"<div class=u><div class=id>{_shown(name)}</div>{' '.join(words)}</div>"
