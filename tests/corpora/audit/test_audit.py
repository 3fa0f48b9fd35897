"""An audit finds what an import would find, publishes nothing and leaves nothing behind."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from corpora.__main__ import main
from corpora.audit.audit import AuditRequest, audit
from corpora.errors import SourceError
from corpora.exports import ExportRequest, export
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from demo.layouts import librispeech, tones
from store.opening import open_store


@pytest.fixture
def libri(tmp_path: Path) -> Path:
    return librispeech.write(tmp_path / "libri", tones.utterances(speakers_per_split=1, each=2)).path


def test_an_audit_finds_what_an_import_finds(libri: Path, tmp_path: Path) -> None:
    found = audit(AuditRequest((libri,), page=tmp_path / "page.html", work=tmp_path / "work"))
    imported = refresh(RefreshRequest("librispeech", (libri,), store=tmp_path / "store"))
    manifest = open_store(tmp_path / "store").corpus("librispeech").manifest
    assert found["importer"] == "librispeech" and found["status"] == "fit" and imported["published"]
    assert (found["utterances"], found["items"]) == (manifest["utterances"], manifest["items"])
    assert found["hours"] == manifest["hours"] and found["rejected"] == manifest["rejected"]
    assert found["letters"] and not found["letters_outside_the_alphabet"]
    page = (tmp_path / "page.html").read_text()
    markup = re.sub(r"<script[^>]*>.*?</script>", "", page, flags=re.DOTALL)
    assert "<script" not in markup and not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", markup)
    policy = re.search(r'http-equiv="Content-Security-Policy"\s+content="([^"]*)"', page)
    assert policy and "default-src 'none'" in policy[1] and "connect-src" not in policy[1]
    assert "<h1>Audit of LibriSpeech</h1>" in page and "It could be imported as it is." in page
    assert "corpora expect" not in page
    assert not list((tmp_path / "work").iterdir())


def test_a_set_that_would_wait_or_be_refused_is_measured_and_has_its_page(
    libri: Path, tmp_path: Path
) -> None:
    refresh(RefreshRequest("librispeech", (libri,), store=tmp_path / "store"))
    corpus = open_store(tmp_path / "store").corpus("librispeech")
    export(ExportRequest(corpus, "webdataset", tmp_path / "set"))
    (tmp_path / "set" / "README.md").unlink()
    page = tmp_path / "page.html"
    waits = audit(AuditRequest((tmp_path / "set",), page=page, work=tmp_path / "work"))
    assert (waits["status"], waits["utterances"]) == ("quarantined", corpus.manifest["utterances"])
    assert waits["hours"] == corpus.manifest["hours"] and waits["letters"] and waits["page"] == str(page)
    assert "an import would wait in quarantine: no licence is stated" in " ".join(page.read_text().split())
    for part in ("train", "dev"):
        texts = sorted(libri.rglob(f"{part}*/**/*.trans.txt"))[0]
        name, *_ = texts.read_text().splitlines()[0].split()
        others = texts.read_text().splitlines()[1:]
        texts.write_text("\n".join([f"{name} ONE TWO THREE FOUR FIVE SIX", *others]) + "\n")
    refused = audit(AuditRequest((libri,), page=page, work=tmp_path / "work"))
    assert refused["status"] == "refused" and refused["leakage"]["dev"] > 0
    assert "The gate would refuse it. Broken:" in page.read_text()


def test_copies_are_counted(libri: Path, tmp_path: Path) -> None:
    first, second = sorted(libri.rglob("*.flac"))[:2]
    second.write_bytes(first.read_bytes())
    found = audit(AuditRequest((libri,), work=tmp_path / "work"))
    told = found.get("duplicates", {}).get("same_sound", 0) + sum(found["rejected"].values())
    assert told > 0


def test_what_no_importer_knows_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / "x.bin").write_bytes(b"nothing")
    with pytest.raises(SourceError, match="no layout that an importer knows"):
        audit(AuditRequest((folder,), work=tmp_path / "work"))
    assert not list((tmp_path / "work").iterdir())
    assert main(["audit", str(tmp_path / "nowhere"), "--store", str(tmp_path / "store")]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_the_command_prints_json(libri: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "store"
    assert main(["audit", str(libri), "--store", str(store), "--workers", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["status"] == "fit" and found["times_real_time"] > 0
    assert not open_store(store).corpus_names()
