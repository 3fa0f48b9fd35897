"""Sources and shared stores on S3, against moto's server with made-up keys."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from corpora.__main__ import main
from corpora.audit.audit import AuditRequest, audit
from corpora.errors import SourceError
from corpora.exports import ExportRequest, export
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from demo.layouts import files, librispeech, tones
from store.errors import NotPublishedError, StoreError
from store.opening import open_store
from store.shared.places import as_place
from store.shared.push_pull import pull, push

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bucket() -> Iterator[Any]:
    """A file system on a bucket `speech`; the environment names the server and made-up keys."""
    import s3fs
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "made-up")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        s3fs.S3FileSystem.clear_instance_cache()
        system = s3fs.S3FileSystem(use_listings_cache=False)
        system.mkdir("speech")
        yield system
        s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


def tree(root: Path) -> Path:
    return librispeech.write(root, tones.utterances(speakers_per_split=1, each=2)).path


def sounds(answer: dict[str, Any], store: Path) -> set[str]:
    corpus = open_store(store).corpus(answer["corpus"])
    return {
        row.as_py() for batch in corpus.batches(columns=["audio_sha256"]) for row in batch["audio_sha256"]
    }


def test_trees_and_archives_on_s3_give_the_rows_of_local_ones(bucket: Any, tmp_path: Path) -> None:
    local = tree(tmp_path)
    wanted = sounds(refresh(RefreshRequest("librispeech", (local,), store=tmp_path / "a")), tmp_path / "a")
    bucket.put(f"{local}/", "speech/tree/LibriSpeech/", recursive=True)
    bucket.put_file(str(files.pack(local, tmp_path / "libri.tar.gz")), "speech/libri.tar.gz")
    for number, url in enumerate(("s3://speech/tree/LibriSpeech", "s3://speech/libri.tar.gz")):
        request = RefreshRequest("librispeech", (as_place(url),), store=tmp_path / f"store-{number}")
        answer = refresh(request)
        assert answer["utterances"] == 6
        assert sounds(answer, tmp_path / f"store-{number}") == wanted
        assert refresh(request)["status"] == "unchanged"
    changed = next(name for name in bucket.find("speech/tree") if name.endswith(".flac"))
    bucket.pipe_file(changed, b"other")
    answer = refresh(
        RefreshRequest("librispeech", ("s3://speech/tree/LibriSpeech",), store=tmp_path / "store-0")
    )
    assert answer["utterances"] < 6


def test_packed_sets_on_s3_give_the_rows_of_local_ones(bucket: Any, tmp_path: Path) -> None:
    store = open_store(tmp_path / "mine")
    wanted = sounds(refresh(RefreshRequest("librispeech", (tree(tmp_path),), store=store.root)), store.root)
    for form in ("huggingface", "lhotse_shar", "nemo_tarred", "webdataset"):
        export(ExportRequest(store.corpus("librispeech"), form, tmp_path / form))
        bucket.put(f"{tmp_path / form}/", f"speech/{form}/", recursive=True)
        request = RefreshRequest(form, (f"s3://speech/{form}",), store=tmp_path / f"of {form}")
        answer = refresh(request)
        assert answer["published"] and sounds(answer, tmp_path / f"of {form}") == wanted
        assert refresh(request)["status"] == "unchanged"
    bucket.rm("speech/webdataset/README.md")
    found = audit(AuditRequest(("s3://speech/webdataset",), work=tmp_path / "work"))
    assert (found["importer"], found["status"]) == ("webdataset", "quarantined")
    assert found["source"] == "webdataset" and found["utterances"] == 6


@pytest.mark.parametrize("url", ["s3://nowhere/tree", "s3://nowhere/a.tar.gz", "s3://speech/empty"])
def test_a_missing_place_is_one_clear_sentence(bucket: Any, tmp_path: Path, url: str) -> None:
    with pytest.raises(SourceError, match=r"no such bucket or object|holds no object") as caught:
        refresh(RefreshRequest("librispeech", (url,), store=tmp_path))
    assert url in str(caught.value)


def test_missing_credentials_are_one_clear_sentence(
    bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import s3fs

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(SourceError, match="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        refresh(RefreshRequest("librispeech", ("s3://speech/a.tar.gz",), store=tmp_path))
    s3fs.S3FileSystem.clear_instance_cache()


def test_a_published_corpus_goes_to_s3_and_back_with_the_same_bytes(
    bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path / "mine")
    refresh(RefreshRequest("librispeech", (tree(tmp_path),), store=store.root))
    corpus, url = store.corpus("librispeech"), "s3://speech/shared"
    with pytest.raises(NotPublishedError, match="librispeech is not published under s3://speech/shared"):
        pull(open_store(tmp_path / "yours"), url, "librispeech")
    first = push(corpus, url)
    assert first["copied"] == len(corpus.manifest["shards"]) + 1
    assert push(corpus, url)["copied"] == 0
    there = pull(open_store(tmp_path / "yours"), url, "librispeech")
    assert (there.version, there.is_whole()) == (corpus.version, True)
    for path in sorted(corpus.path.rglob("*.*")):
        twin = there.path / path.relative_to(corpus.path)
        assert hashlib.sha256(twin.read_bytes()).digest() == hashlib.sha256(path.read_bytes()).digest()
    shard = corpus.manifest["shards"][0]["path"]
    bucket.pipe_file(f"speech/shared/corpora/librispeech/{corpus.version}/{shard}", b"x" * 10)
    with pytest.raises(StoreError, match="does not have the hash"):
        pull(open_store(tmp_path / "third"), url, "librispeech")
    assert open_store(tmp_path / "third").corpus_names() == []
    assert os.environ["AWS_ACCESS_KEY_ID"] == "made-up"


KILLED = """
import os, signal, sys
from store.shared import working_copy
whole, left = working_copy._put, [int(sys.argv[1])]

def cut(*arguments):
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    whole(*arguments)

working_copy._put = cut
from corpora.__main__ import main
main(sys.argv[2:])
"""


def test_a_store_on_s3_survives_a_killed_refresh_and_has_the_bytes_of_a_local_one(
    bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SPEECHMILL_COPIES", str(tmp_path / "copies"))
    monkeypatch.setenv("SPEECHMILL_STORE", "s3://speech/store")
    local = tree(tmp_path)
    arguments = ["refresh", "librispeech", "--source", str(local)]
    killed = subprocess.run([sys.executable, "-c", KILLED, "2", *arguments], check=False)
    assert killed.returncode == -9
    assert main(["show", "librispeech"]) == 2
    left = bucket.find("speech/store")
    assert len([name for name in left if name.endswith(".parquet")]) == 2
    assert "speech/store/locks/corpus-librispeech.json" in left
    capsys.readouterr()
    assert main([*arguments, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["path"] == f"s3://speech/store/corpora/librispeech/{answer['version']}"
    assert main([*arguments, "--store", str(tmp_path / "here")]) == 0
    published = tmp_path / "here" / "corpora" / "librispeech" / answer["version"]
    for path in (path for path in published.rglob("*") if path.is_file()):
        there = f"speech/store/corpora/librispeech/{answer['version']}/{path.relative_to(published)}"
        assert bucket.cat_file(there) == path.read_bytes()
    assert not bucket.find("speech/store/locks")


def test_of_two_machines_at_once_one_waits_and_both_versions_are_whole(
    bucket: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import s3fs

    answers: list[subprocess.CompletedProcess[str]] = []

    def machine(name: str, source: Path) -> None:
        environment = {**os.environ, "SPEECHMILL_COPIES": str(tmp_path / name)}
        command = [sys.executable, "-m", "corpora", "refresh", "librispeech", "--source", str(source)]
        command += ["--store", "s3://speech/both", "--json"]
        answers.append(subprocess.run(command, env=environment, capture_output=True, text=True, check=False))

    sources = [tree(tmp_path / "one"), librispeech.write(tmp_path / "two", tones.utterances(1, 1)).path]
    threads = [threading.Thread(target=machine, args=(f"copy-{n}", s)) for n, s in enumerate(sources)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.returncode for answer in answers] == [0, 0], answers
    versions = {json.loads(answer.stdout)["version"] for answer in answers}
    s3fs.S3FileSystem.clear_instance_cache()
    assert bucket.cat_file("speech/both/corpora/librispeech/current").decode() in versions
    for version in versions:
        store = open_store(tmp_path / f"pulled-{version}")
        assert pull(store, "s3://speech/both", "librispeech", version).is_whole()
    assert not bucket.find("speech/both/locks")


def test_a_store_in_a_bucket_that_does_not_exist_is_one_clear_sentence(
    bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SPEECHMILL_COPIES", str(tmp_path / "copies"))
    assert main(["list", "--store", "s3://nowhere/store"]) == 1
    assert "s3://nowhere/store cannot be reached (no such bucket or object" in capsys.readouterr().err
