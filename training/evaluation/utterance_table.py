"""utterances.parquet of an evaluation: one row per utterance, for the report and for whoever looks closer.

utterance_id, corpus, subset, speaker_id, gender, duration_s, snr_db, measures, source_path, source_start_s,
source_end_s, reference, words, characters; and for each decoder (greedy, corrected, lm): its text under its
own name, and <decoder>_{edits, substitutions, deletions, insertions, character_edits}, null where it was
not used.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from scoring.wer import count_errors
from training.decoding.recognise import DECODERS, Texts
from training.evaluation.figures import Heard

FACTS = (
    "utterance_id", "corpus", "subset", "speaker_id", "gender", "duration_s", "source_path", "source_start_s",
    "source_end_s", "text", "text_scoring", "measures",
)  # fmt: skip
_COUNTS = ("edits", "substitutions", "deletions", "insertions", "character_edits")


def utterance_table(facts: pa.Table, heard: Texts) -> pa.Table:
    """The table; `facts` has the columns `FACTS` in the order of the texts."""
    texts = heard.by_decoder
    pairs = zip(facts["text"].to_pylist(), facts["text_scoring"].to_pylist(), strict=True)
    references = [scoring if scoring is not None else text for text, scoring in pairs]
    table = facts.drop_columns(["text", "text_scoring"])
    table = table.append_column("snr_db", pc.struct_field(facts["measures"], "snr_db"))
    table = table.append_column("reference", pa.array(references, pa.string()))
    sizes = count_errors(references, references).per_utterance
    table = table.append_column("words", pa.array([one.words for one in sizes], pa.int32()))
    table = table.append_column("characters", pa.array([one.characters for one in sizes], pa.int32()))
    for decoder in DECODERS:
        own = texts.get(decoder)
        nothing = pa.nulls(len(references), pa.int32())
        column = pa.nulls(len(references), pa.string()) if own is None else pa.array(own, pa.string())
        table = table.append_column(decoder, column)
        each = None if own is None else count_errors(references, own).per_utterance
        for name in _COUNTS:
            counts = nothing if each is None else pa.array([getattr(one, name) for one in each], pa.int32())
            table = table.append_column(f"{decoder}_{name}", counts)
    return table.append_column("lm_confidence", pa.array(heard.confidences, pa.float32()))


def heard_of(table: pa.Table) -> Heard:
    """The table's texts and facts as the figures take them; unnamed speakers count as one."""
    names = set(table.column_names)
    used = [one for one in DECODERS if one in names and table[one].null_count < table.num_rows]
    return Heard(
        references=table["reference"].to_pylist(),
        speakers=[name or "" for name in table["speaker_id"].to_pylist()],
        genders=[name or "unknown" for name in table["gender"].to_pylist()],
        durations_s=table["duration_s"].to_pylist(),
        snrs_db=table["snr_db"].to_pylist(),
        texts={one: table[one].to_pylist() for one in used},
    )
