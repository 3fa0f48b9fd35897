"""An evaluation scored the way papers score the test set: `evaluate --standard hub5`.

    evaluations/<id>/standard-<name>.json      counts and rates of every decoder, in all and by part of the set

The texts heard come from the evaluation's table, the references from the corpus's raw transcripts with all their
alternatives. Segments that the import refused have no sound in the store and are counted, not scored.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from scoring.standards import score_by
from scoring.transcripts import Segment
from store.store import Store
from store.writing import write_json_atomic
from training.decoding.recognise import DECODERS
from training.errors import DataError

_GAPS = "gap_marker"


def evaluate_by(
    name: str, evaluation: dict[str, Any], store: Store, glm: Path | None = None
) -> dict[str, Any]:
    """Score a published evaluation by a standard, and write it beside the evaluation.

    Raises:
        DataError: the corpus's rows changed since.
        ScoringError: there is no such standard, or a reference's mark-up is broken.
    """
    folder = store.evaluations_dir / evaluation["id"]
    table = pq.read_table(folder / "utterances.parquet")
    corpus = store.corpus(evaluation["corpus"])
    raw = {
        name: text
        for batch in corpus.batches(split=evaluation["split"], columns=["utterance_id", "text_raw"])
        for name, text in zip(batch["utterance_id"].to_pylist(), batch["text_raw"].to_pylist(), strict=True)
    }
    names = table["utterance_id"].to_pylist()
    if lost := [one for one in names if one not in raw]:
        raise DataError(
            f"{len(lost)} utterances of evaluation {evaluation['id']} ({lost[0]}, …) are no longer in "
            f"{corpus.name} {corpus.version}: evaluate again"
        )
    facts = zip(names, table["speaker_id"].to_pylist(), table["subset"].to_pylist(), strict=True)
    segments = [
        Segment(one, raw[one], speaker or "all", label=subset or "") for one, speaker, subset in facts
    ]
    decoders = {}
    for decoder in DECODERS:
        column = table[decoder]
        if column.null_count < table.num_rows:
            scored = score_by(name, segments, [text or "" for text in column.to_pylist()], glm)
            parts = {part: counts.as_json() for part, counts in scored.labels().items()}
            decoders[decoder] = {**scored.total.as_json(), "parts": parts}
    result = {
        "standard": name,
        "glm": None if glm is None else glm.name,
        "evaluation": evaluation["id"],
        "segments_refused_at_import": _refused(corpus.manifest),
        "decoders": decoders,
    }
    write_json_atomic(folder / f"standard-{name}.json", result)
    return result


def _refused(manifest: Mapping[str, Any]) -> int:
    """Segments of the set that were refused when it was imported, gaps apart."""
    return sum(count for check, count in manifest["rejected"].items() if check != _GAPS)


def standard_lines(result: dict[str, Any]) -> list[str]:
    """The result for the terminal."""
    lines = [f"by {result['standard']}" + (f" with {result['glm']}" if result["glm"] else "") + ":"]
    for decoder, one in result["decoders"].items():
        parts = ", ".join(f"{name} {part['wer']:.2%}" for name, part in one["parts"].items())
        lines.append(f"  {decoder:<9} WER {one['wer']:7.2%} of {one['words']:,} words ({parts})")
    if result["segments_refused_at_import"]:
        lines.append(
            f"  {result['segments_refused_at_import']} segments were refused at import and are not in it"
        )
    return lines
