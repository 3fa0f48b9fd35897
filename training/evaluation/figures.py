"""References and what each decoder heard -> the figures of evaluation.json.

Error rates with intervals, by speaker, gender, duration and signal-to-noise ratio, the most frequent mistakes,
and the decoders compared pair by pair. Pure functions of texts and facts; nothing is read or written here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

from scoring.significance import Paired, resampled_unit, wer_interval
from scoring.wer import ErrorRates, confusions, count_errors, unit_of

_DURATIONS_S = (2.0, 5.0, 10.0, 15.0)  # borders of the groups
_SNRS_DB = (10.0, 20.0, 30.0, 40.0)


@dataclass(frozen=True)
class Heard:
    """Utterances with what is known of them and what each decoder heard, all in the same order.

    Attributes:
        snrs_db: None where the corpus does not say.
        texts: decoder → texts.
    """

    references: Sequence[str]
    speakers: Sequence[str]
    genders: Sequence[str]
    durations_s: Sequence[float]
    snrs_db: Sequence[float | None]
    texts: Mapping[str, Sequence[str]]


def figures_of(heard: Heard) -> dict[str, Any]:
    """The figures, decoders by name; a decoder that was not used is None."""
    found = {name: count_errors(heard.references, texts) for name, texts in heard.texts.items()}
    rates = {name: rates_as_json(found[name], heard.speakers) for name in found}
    best = next(name for name in ("lm", "corrected", "greedy") if name in found)
    return {
        **{name: rates.get(name) for name in ("greedy", "corrected", "lm")},
        "utterances": len(heard.references),
        "words": found["greedy"].words,
        "unit": unit_of(heard.references),
        "hours": sum(heard.durations_s) / 3600,
        "interval_by": resampled_unit(heard.speakers),
        "speakers": by_name(found, heard.speakers),
        "genders": by_name(found, heard.genders),
        "durations": by_range(found, heard.durations_s, _DURATIONS_S),
        "snrs": by_range(found, heard.snrs_db, _SNRS_DB),
        "confusions": {name: confusions(heard.references, heard.texts[name]) for name in {"greedy", best}},
        "comparisons": compare_decoders(heard),
    }


def rates_as_json(rates: ErrorRates, speakers: Sequence[str]) -> dict[str, Any]:
    """Error rates with their 95 % interval, as the contract names them."""
    return {
        "wer": rates.wer,
        "wer_mean_per_utterance": rates.wer_mean_per_utterance,
        "cer": rates.cer,
        "wer_interval": list(wer_interval(rates, speakers)),
        "substitutions": rates.substitutions,
        "deletions": rates.deletions,
        "insertions": rates.insertions,
    }


def by_name(found: Mapping[str, ErrorRates], groups: Sequence[str]) -> dict[str, Any]:
    """Utterances, words and WER of each decoder, for each group."""
    members: dict[str, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    return {name: _group(found, members[name]) for name in sorted(members)}


def by_range(
    found: Mapping[str, ErrorRates], values: Sequence[float | None], borders: Sequence[float]
) -> list[dict[str, Any]]:
    """The same for ranges of a value, `from` ≤ value < `to` (None = open); a last one for those without."""
    edges: list[float | None] = [None, *borders, None]
    table = []
    for low, high in pairwise(edges):
        members = [
            index
            for index, value in enumerate(values)
            if value is not None and (low is None or value >= low) and (high is None or value < high)
        ]
        if members:
            table.append({"from": low, "to": high, "unknown": False, **_group(found, members)})
    unknown = [index for index, value in enumerate(values) if value is None]
    if unknown:
        table.append({"from": None, "to": None, "unknown": True, **_group(found, unknown)})
    return table


def _group(found: Mapping[str, ErrorRates], members: Sequence[int]) -> dict[str, Any]:
    parts = {decoder: rates.part(members) for decoder, rates in found.items()}
    rates = {decoder: part.wer for decoder, part in parts.items()}
    return {"utterances": len(members), "words": parts["greedy"].words, **rates}


def compare_decoders(heard: Heard) -> list[dict[str, Any]]:
    """Every two decoders on the same utterances; see `significance.Paired`."""
    return [
        {
            "before": before,
            "after": after,
            **Paired(heard.references, heard.texts[before], heard.texts[after], heard.speakers).as_json(),
        }
        for before, after in combinations(heard.texts, 2)
    ]


def pooled(evaluations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Several corpora as one: utterances, words, hours, and each decoder's total edits / total words.

    A decoder that was not used on all of them is None; `unit` is None where some count words and some characters.
    """
    words = sum(one["words"] for one in evaluations)
    result: dict[str, Any] = {
        key: sum(one[key] for one in evaluations) for key in ("utterances", "words", "hours")
    }
    units = {one.get("unit", "words") for one in evaluations}
    result["unit"] = units.pop() if len(units) == 1 else None
    for decoder in ("greedy", "corrected", "lm"):
        rates = [one.get(decoder) for one in evaluations]
        kinds = ("substitutions", "deletions", "insertions")
        edits = [sum(rate[kind] for kind in kinds) for rate in rates if rate]
        result[decoder] = {"wer": sum(edits) / max(1, words)} if len(edits) == len(rates) else None
    return result
