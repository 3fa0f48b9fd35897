"""From a figure to the bytes of its sources and back; events that OpenLineage's own client takes."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from corpora.__main__ import main
from corpora.lineage.events import events, send
from corpora.lineage.graph import load_graph
from corpora.lineage.trace import as_text, trace
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from demo.layouts import librispeech, tones
from store.errors import StoreError, UsageError
from store.opening import open_store
from store.store import Store
from store.writing import write_json_atomic

RUN, MODEL, EVALUATION, OTHER = "ab" * 8, "cd" * 8, "ef" * 8, "01" * 8
SPOKEN = "the lamp in the harbour"


def made_with(store: Store, version: str) -> None:
    """What the stages after the import leave: a language model, a run, its model, two evaluations."""
    corpus = {"corpus": "librispeech", "version": version}
    lm = {"name": "default", "version": "12ab" * 4}
    text = {"name": "novels.txt", "sha256": "9" * 64, "bytes": 7}
    write_json_atomic(
        store.language_models_dir / "default" / lm["version"] / "manifest.json",
        {"order": 3, "inputs": {"training": [corpus], "text": [text]}, "identity": {"lm_hash": "5" * 64}},
    )
    (store.language_models_dir / "default/current").symlink_to(lm["version"])
    write_json_atomic(store.runs_dir / RUN / "inputs.json", {"corpora": {"librispeech": version}})
    write_json_atomic(store.runs_dir / RUN / "state.json", {"state": "finished", "dev_wer": 0.2, "step": 9})
    write_json_atomic(store.root / "models" / MODEL / "model.json", {"run": RUN, "language_model": lm})
    (store.root / "models/released").symlink_to(MODEL)
    for name, split, model in ((EVALUATION, "test", lm), (OTHER, "dev", None)):
        said = {"run": RUN, "corpus": "librispeech", "corpus_version": version, "split": split}
        rates = {"greedy": {"wer": 0.15312}, "language_model": model}
        write_json_atomic(store.evaluations_dir / name / "evaluation.json", {**said, **rates})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("lineage")
    spoken = tones.utterances(speakers_per_split=1, each=2)
    tree = Path(librispeech.write(folder / "source", spoken))
    made = refresh(RefreshRequest("librispeech", (tree,), store=folder / "store"))
    store = open_store(folder / "store")
    made_with(store, made["version"])
    return store


def names(trees: list[dict[str, Any]]) -> set[str]:
    """Kinds and roles of all tips of some trees."""
    return {f"{tree['kind']}" for tree in trees} | {name for tree in trees for name in names(tree["of"])}


def one(store: Store, asked: str) -> dict[str, Any]:
    [found] = trace(store, asked)["found"]
    return dict(found)


def row(store: Store, split: str) -> dict[str, Any]:
    batch = next(store.corpus("librispeech").batches(split=split))
    return dict(batch.to_pylist()[0])


def test_a_figure_leads_to_the_bytes_of_its_sources(store: Store) -> None:
    found = trace(store, "15.3%")["found"]
    assert {entry["id"] for entry in found} == {EVALUATION, OTHER}
    figure = one(store, EVALUATION)
    assert names(figure["made_of"]) == {"corpus", "run", "language_model", "source", "text"}
    assert figure["made_with"] == []
    assert one(store, EVALUATION[:6])["id"] == EVALUATION
    with pytest.raises(UsageError, match="nothing here is called"):
        trace(store, "15.4%")


def test_sources_lead_to_everything_made_with_them(store: Store) -> None:
    source = next(node for node in load_graph(store).nodes.values() if node.kind == "source")
    name = source.id.rpartition("#")[0]
    found = one(store, f"source:{name}")
    assert names(found["made_with"]) == {"corpus", "language_model", "run", "model", "evaluation"}
    assert names(one(store, "novels.txt")["made_with"]) == {"language_model", "model", "evaluation"}


def test_a_training_utterance_was_heard_and_a_test_utterance_was_measured(store: Store) -> None:
    heard = one(store, row(store, "train")["utterance_id"])
    assert heard["kind"] == "utterance" and names(heard["made_of"]) == {"corpus", "source"}
    assert names(heard["made_with"]) >= {"run", "model", "language_model"}
    assert heard["facts"]["line"] and heard["facts"]["source_path"].endswith(".flac")
    measured = one(store, row(store, "test")["utterance_id"])
    assert names(measured["made_with"]) == {"corpus", "evaluation"}
    [under] = measured["made_with"]
    assert [tip["id"] for tip in under["of"]] == [EVALUATION]


def test_which_models_have_heard_a_speaker_and_was_a_sentence_in_the_language_model(store: Store) -> None:
    speaker = one(store, row(store, "train")["speaker_id"])
    assert speaker["kind"] == "donor" and "2 rows" in speaker["says"]
    assert "model" in names(speaker["made_with"])
    assert "model" not in names(one(store, row(store, "dev")["speaker_id"])["made_with"])
    sentence = one(store, row(store, "train")["text"])
    assert sentence["kind"] == "sentence" and "language_model" in names(sentence["made_with"])
    assert "language_model" not in names(one(store, row(store, "test")["text"])["made_with"])
    file = one(store, row(store, "train")["transcript_path"])
    assert file["kind"] == "file"


def test_names_of_corpora_mean_the_version_in_force_and_damage_is_named(store: Store, tmp_path: Path) -> None:
    assert one(store, "librispeech")["id"] == f"librispeech@{store.corpus('librispeech').version}"
    assert one(store, "language_model:default")["kind"] == "language_model"
    broken = store.runs_dir / "broken" / "inputs.json"
    broken.parent.mkdir()
    broken.write_text("{")
    answer = trace(store, "librispeech")
    assert answer["unreadable"] == [str(broken)] and str(broken) in as_text(answer)
    broken.unlink()
    with pytest.raises(UsageError):
        trace(store, "run:librispeech")
    with pytest.raises(UsageError):
        trace(store, "' OR 1=1 --")


def test_the_commands(store: Store, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    there = ["--store", str(store.root)]
    assert main(["trace", MODEL, *there]) == 0
    told = capsys.readouterr().out
    assert f"model {MODEL}: in force" in told and f"packaged: run {RUN}" in told
    assert main(["trace", MODEL, "--json", *there]) == 0
    assert json.loads(capsys.readouterr().out)["found"][0]["facts"] == {"released": True}
    assert main(["lineage", "--to", str(tmp_path / "events.jsonl"), *there]) == 0
    assert len((tmp_path / "events.jsonl").read_text().splitlines()) == 6


def test_events_are_those_of_openlineage(store: Store) -> None:
    from openlineage.client.event_v2 import Dataset, InputDataset, Job, OutputDataset, Run, RunEvent, RunState
    from openlineage.client.generated.dataset_version_dataset import DatasetVersionDatasetFacet
    from openlineage.client.serde import Serde

    def dataset(kind: type[Dataset], said: dict[str, Any]) -> Dataset:
        facet = DatasetVersionDatasetFacet(datasetVersion=said["facets"]["version"]["datasetVersion"])
        return kind(said["namespace"], said["name"], facets={"version": facet})

    found = events(store)
    assert found == events(store) and len({one["run"]["runId"] for one in found}) == len(found) == 6
    for said in found:
        event = RunEvent(
            eventType=RunState[said["eventType"]],
            eventTime=said["eventTime"],
            run=Run(runId=said["run"]["runId"]),
            job=Job(**{key: said["job"][key] for key in ("namespace", "name")}),
            producer=said["producer"],
            inputs=[dataset(InputDataset, one) for one in said["inputs"]],  # type: ignore[misc]
            outputs=[dataset(OutputDataset, one) for one in said["outputs"]],  # type: ignore[misc]
        )
        again = Serde.to_dict(event)
        assert again["schemaURL"].split("#")[0] == said["schemaURL"].split("#")[0]
        for key in ("eventType", "producer"):
            assert again[key] == said[key]
        assert {one["name"] for one in again["inputs"]} == {one["name"] for one in said["inputs"]}
    outputs = {event["outputs"][0]["name"]: event for event in found}
    inputs = {one["name"] for one in outputs[f"evaluation/{EVALUATION}"]["inputs"]}
    assert inputs == {"corpus/librispeech", f"run/{RUN}", "language_model/default"}


def test_events_are_posted_and_a_refusal_is_told(store: Store) -> None:
    taken: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(201 if self.path == "/api/v1/lineage" else 500)
            self.end_headers()

        def log_message(self, *said: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        found = events(store)
        send(found, f"{url}/api/v1/lineage")
        assert taken == found
        with pytest.raises(StoreError, match="does not take"):
            send(found, f"{url}/elsewhere")
        server.shutdown()


def test_a_corpus_is_described_in_croissant(store: Store, tmp_path: Path) -> None:
    from corpora.exports import ExportRequest, export

    corpus = store.corpus("librispeech")
    export(ExportRequest(corpus, "croissant", tmp_path / "out"))
    said = json.loads((tmp_path / "out/croissant.json").read_text())
    for entry in said["distribution"][:-1]:
        assert (
            hashlib.sha256((tmp_path / "out" / entry["contentUrl"]).read_bytes()).hexdigest()
            == entry["sha256"]
        )
    assert said["license"] == "https://spdx.org/licenses/CC-BY-4.0"


@pytest.mark.slow
def test_mlcroissant_reads_what_is_described(store: Store, tmp_path: Path) -> None:
    import mlcroissant

    from corpora.exports import ExportRequest, export

    corpus = store.corpus("librispeech")
    export(ExportRequest(corpus, "croissant", tmp_path / "out"))
    dataset = mlcroissant.Dataset(tmp_path / "out/croissant.json")
    assert not dataset.metadata.ctx.issues.errors
    records = list(dataset.records("rows"))
    assert len(records) == corpus.manifest["utterances"]
    texts = {record["rows/text"].decode() for record in records}
    assert texts == {row["text"] for batch in corpus.batches(columns=["text"]) for row in batch.to_pylist()}
