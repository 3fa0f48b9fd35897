"""lhotse: prepare, cut into supervisions, write shar with FLAC. LAYOUT SOURCE FOLDER; runs in lhotse's environment.

SPHERE is read by sph2pipe, one child per read, as lhotse does it. Its recipes want other folders than the discs have
(Fisher: texts without the folder between; TED-LIUM: release 3, no comments in transcripts): they get a view of links.
"""

import sys
from pathlib import Path

from lhotse import CutSet
from lhotse.recipes import prepare_fisher_english, prepare_librispeech, prepare_switchboard, prepare_tedlium

layout, source, folder = sys.argv[1], Path(sys.argv[2]).resolve(), Path(sys.argv[3])
(folder / "manifests").mkdir()


def prepared() -> list[dict]:
    """The manifests of every part."""
    if layout == "librispeech":
        parts = tuple(path.name for path in source.iterdir() if path.is_dir())
        return list(
            prepare_librispeech(source, dataset_parts=parts, output_dir=folder / "manifests").values()
        )
    if layout == "tedlium":
        return list(prepare_tedlium(release_3(), output_dir=folder / "manifests").values())
    if layout == "switchboard":
        transcripts = next(path for path in source.rglob("swb_ms98_transcriptions") if path.is_dir())
        return [prepare_switchboard(source, transcripts, None, folder / "manifests", absolute_paths=True)]
    view, sound, text = fisher_view()
    return [prepare_fisher_english(view, folder / "manifests", sound, text, absolute_paths=True)]


def fisher_view() -> tuple[Path, list[str], list[str]]:
    """The source with `data` and `doc` directly below a disc of texts; names of its discs with sound, with texts."""
    view = folder / "view"
    view.mkdir()
    for disc in sorted(source.glob("LDC200?S13")):
        (view / disc.name).symlink_to(disc)
    for disc in sorted(source.glob("LDC200?T19")):
        (below,) = disc.glob("fe_03_p?_tran")
        (view / disc.name).symlink_to(below)
    names = sorted(path.name for path in view.iterdir())
    return view, [name for name in names if "S" in name], [name for name in names if "T" in name]


def release_3() -> Path:
    """The source as release 3 lays it out: sound by links, transcripts without comments."""
    view = folder / "view"
    for part in sorted(path for path in source.iterdir() if (path / "sph").is_dir()):
        target = view / "legacy" / part.name
        (target / "stm").mkdir(parents=True)
        (target / "sph").symlink_to(part / "sph")
        for path in (part / "stm").glob("*.stm"):
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = "".join(line for line in lines if not line.startswith(";;"))
            (target / "stm" / path.name).write_text(kept, encoding="utf-8")
    return view


for number, part in enumerate(prepared()):
    cuts = CutSet.from_manifests(recordings=part["recordings"], supervisions=part["supervisions"])
    cuts = cuts.trim_to_supervisions(keep_overlapping=False)
    target = folder / f"shar-{number}"
    target.mkdir(parents=True)
    cuts.to_shar(target, fields={"recording": "flac"}, shard_size=500, num_jobs=1)
