"""Packed sets below any URL that fsspec knows: a folder, a page of links, one Parquet file, memory."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpora.audit.audit import AuditRequest, audit
from corpora.errors import SourceError
from corpora.exports import ExportRequest, export
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from corpora.sources.opening import open_source
from demo.layouts import librispeech, tones
from store.corpus import Corpus
from store.opening import open_store


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    root = tmp_path_factory.mktemp("urls")
    source = librispeech.write(root / "libri", tones.utterances(speakers_per_split=1, each=2)).path
    refresh(RefreshRequest("librispeech", (source,), store=root / "store"))
    return open_store(root / "store").corpus("librispeech")


def sounds(corpus: Corpus) -> set[tuple[str, str]]:
    columns = ["text", "audio_sha256"]
    return {
        (row["text"], row["audio_sha256"]) for b in corpus.batches(columns=columns) for row in b.to_pylist()
    }


def imported(url: str, store: Path, workers: int = 1, importer: str = "huggingface") -> Corpus:
    answer = refresh(RefreshRequest(importer, (url,), name="back", store=store, workers=workers))
    assert answer["published"], answer
    return open_store(store).corpus("back")


@pytest.fixture(scope="module")
def server(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of files with ranges and pages of links; the set lies below `set`."""
    from aiohttp import web

    folder = tmp_path_factory.mktemp("served")
    export(ExportRequest(corpus, "huggingface", folder / "set"))
    loop, ready, where = asyncio.new_event_loop(), threading.Event(), [""]

    async def serve() -> web.AppRunner:
        app = web.Application()
        app.router.add_static("/", folder, show_index=True)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        where[0] = "http://{}:{}".format(*runner.addresses[0][:2])
        ready.set()
        return runner

    def run() -> None:
        runner = loop.run_until_complete(serve())
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(20)
    yield where[0]
    loop.call_soon_threadsafe(loop.stop)
    thread.join(20)


@pytest.mark.parametrize("form", ["huggingface", "lhotse_shar", "nemo_tarred", "webdataset"])
def test_a_folder_by_its_url_gives_the_rows_of_its_path(form: str, corpus: Corpus, tmp_path: Path) -> None:
    export(ExportRequest(corpus, form, tmp_path / "set"))
    url = f"file://{tmp_path / 'set'}"
    assert sounds(imported(url, tmp_path / "store", 2, form)) == sounds(corpus)
    names = [member.name for member in open_source([url]).members()]
    assert names == [member.name for member in open_source([tmp_path / "set"]).members()]
    assert (
        refresh(RefreshRequest(form, (url,), name="back", store=tmp_path / "store"))["status"] == "unchanged"
    )


def test_a_set_in_memory_is_read_and_looked_at(corpus: Corpus, tmp_path: Path) -> None:
    import fsspec

    export(ExportRequest(corpus, "huggingface", tmp_path / "set"))
    fsspec.filesystem("memory").put(f"{tmp_path / 'set'}/", "/held/set/", recursive=True)
    try:
        assert sounds(imported("memory://held/set", tmp_path / "store")) == sounds(corpus)
        found = audit(AuditRequest(("memory://held/set",), work=tmp_path / "work"))
    finally:
        fsspec.filesystem("memory").rm("/held", recursive=True)
    assert (found["status"], found["importer"], found["source"]) == ("fit", "huggingface", "set")
    assert found["utterances"] == corpus.manifest["utterances"]


def test_one_parquet_file_by_http_is_a_set_of_its_own(server: str, corpus: Corpus, tmp_path: Path) -> None:
    files = [one for one in open_source([f"{server}/set/data"]).members() if one.name.endswith("jsonl")]
    url = f"{server}/set/data/train-00000-of-00001.parquet"
    assert len(files) == 3
    found = audit(AuditRequest((url,), work=tmp_path / "work", page=tmp_path / "page.html"))
    assert found["status"] == "quarantined" and "no licence is stated" in found["why"]
    assert found["utterances"] == corpus.manifest["splits"]["train"]["utterances"]
    assert "Audit of train-00000-of-00001.parquet" in (tmp_path / "page.html").read_text()


def test_what_is_not_there_or_not_installed_is_one_sentence(server: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"set/none\.parquet cannot be reached"):
        open_source([f"{server}/set/none.parquet"])
    with pytest.raises(SourceError, match=r"hf://datasets/who/what cannot be reached \(.*huggingface_hub"):
        open_source(["hf://datasets/who/what"])
    with pytest.raises(SourceError, match=r"gopher://x cannot be reached \(.*gopher"):
        open_source(["gopher://x"])
    with pytest.raises(SourceError, match=r"holds no object|no such bucket"):
        open_source(["memory://nowhere/at/all"])
