"""lhotse: prepare, cut into supervisions, write shar with FLAC. LAYOUT SOURCE FOLDER; runs in lhotse's environment."""

import sys
from pathlib import Path

from lhotse import CutSet
from lhotse.recipes import prepare_fisher_english, prepare_librispeech, prepare_switchboard, prepare_tedlium

layout, source, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])


def prepared() -> list[dict]:
    """The manifests of every part."""
    if layout == "librispeech":
        parts = tuple(path.name for path in source.iterdir() if path.is_dir())
        return list(
            prepare_librispeech(source, dataset_parts=parts, output_dir=folder / "manifests").values()
        )
    if layout == "tedlium":
        return list(prepare_tedlium(source, output_dir=folder / "manifests").values())
    if layout == "switchboard":
        transcripts = next(path for path in source.rglob("swb_ms98_transcriptions") if path.is_dir())
        return [prepare_switchboard(source, transcripts_dir=transcripts, output_dir=folder / "manifests")]
    return [prepare_fisher_english(source, folder / "manifests", absolute_paths=True)]


for number, part in enumerate(prepared()):
    cuts = CutSet.from_manifests(recordings=part["recordings"], supervisions=part["supervisions"])
    cuts = cuts.trim_to_supervisions(keep_overlapping=False)
    target = folder / f"shar-{number}"
    target.mkdir(parents=True)
    cuts.to_shar(target, fields={"recording": "flac"}, shard_size=500, num_jobs=1)
