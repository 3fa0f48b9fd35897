"""Exports opened by the libraries they are made for, each in an environment of its own.

`datasets` is small and its environment is made here; lhotse brings torch (5 GB), so its test runs only where
`benchmarks/peers.sh lhotse` has been run before.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from corpora.exports import ExportRequest, export
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from demo.layouts import librispeech, tones
from store.corpus import Corpus
from store.opening import open_store

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow

OPEN_WITH_DATASETS = """
import io, json, sys, soundfile
from datasets import Audio, load_dataset
found = {}
for split, rows in load_dataset(sys.argv[1]).items():
    assert isinstance(rows.features["audio"], Audio), rows.features
    for row in rows.cast_column("audio", Audio(decode=False)):
        samples, rate = soundfile.read(io.BytesIO(row["audio"]["bytes"]), dtype="int16")
        found[row["utterance_id"]] = [split, row["text"], len(samples), rate]
print(json.dumps(found))
"""

OPEN_WITH_LHOTSE = """
import json, sys
from lhotse import CutSet, RecordingSet, SupervisionSet, validate_recordings_and_supervisions
found = {}
for split in sys.argv[3:]:
    recordings = RecordingSet.from_file(f"{sys.argv[1]}/{sys.argv[2]}_recordings_{split}.jsonl.gz")
    recordings = recordings.with_path_prefix(sys.argv[1])
    supervisions = SupervisionSet.from_file(f"{sys.argv[1]}/{sys.argv[2]}_supervisions_{split}.jsonl.gz")
    validate_recordings_and_supervisions(recordings=recordings, supervisions=supervisions, read_data=True)
    for cut in CutSet.from_manifests(recordings=recordings, supervisions=supervisions):
        (said,) = cut.supervisions
        found[said.id] = [split, said.text, cut.load_audio().shape[1], cut.sampling_rate]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """A small corpus with all three splits."""
    root = tmp_path_factory.mktemp("store")
    path = librispeech.write(
        tmp_path_factory.mktemp("source"), tones.utterances(speakers_per_split=1, each=2)
    ).path
    refresh(RefreshRequest("librispeech", (path,), store=root))
    return open_store(root).corpus("librispeech")


def stored(corpus: Corpus, names: dict[str, str]) -> dict[str, list[Any]]:
    columns = ["utterance_id", "split", "text", "num_samples", "sample_rate_hz"]
    rows = [row for batch in corpus.batches(columns=columns) for row in batch.to_pylist()]
    return {
        row["utterance_id"]: [names[row["split"]], row["text"], row["num_samples"], row["sample_rate_hz"]]
        for row in rows
    }


def run(python: Path, program: str, *arguments: str, home: Path) -> Any:
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [python, "-c", program, *arguments],
        capture_output=True,
        text=True,
        env=environment,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_datasets_opens_the_hugging_face_export(corpus: Corpus, tmp_path: Path) -> None:
    subprocess.run([ROOT / "benchmarks/peers.sh", "datasets"], check=True, timeout=800)
    export(ExportRequest(corpus, "huggingface", tmp_path / "out"))
    python = ROOT / "build/peers/datasets/bin/python"
    names = {"train": "train", "dev": "validation", "test": "test"}
    assert run(python, OPEN_WITH_DATASETS, str(tmp_path / "out"), home=tmp_path) == stored(corpus, names)


def test_lhotse_opens_its_export(corpus: Corpus, tmp_path: Path) -> None:
    python = ROOT / "build/peers/lhotse/bin/python"
    if not python.exists():
        pytest.skip("lhotse's environment is not made (benchmarks/peers.sh lhotse; 5 GB)")
    export(ExportRequest(corpus, "lhotse", tmp_path / "out"))
    names = {split: split for split in corpus.splits}
    found = run(python, OPEN_WITH_LHOTSE, str(tmp_path / "out"), corpus.name, *corpus.splits, home=tmp_path)
    assert found == stored(corpus, names)
