"""The browser: every row and refusal found, sound byte for byte, decisions from the page, hostile text stays text."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile
from fastapi import HTTPException, Request
from fastapi.testclient import TestClient

from corpora.__main__ import main
from corpora.browsing import library
from corpora.browsing.index import build_index, doubt_path, index_path
from corpora.browsing.library import as_csv
from corpora.browsing.pages import Visitor, make_app
from corpora.browsing.search import Index, Search, read_search
from corpora.browsing.sound import part_of
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from demo.layouts import tones
from store.errors import UsageError
from store.opening import open_store
from store.store import Store

HOSTILE = "=cmd <script>alert(1)</script> {{ 7 }} \u202egnihton"
TEXTS = ["One word, two", "naïve Idea", HOSTILE, "call 911 Ω", "the red mill", "The Green mill stood"]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source") / "gift"
    folder.mkdir()
    for number, item in enumerate(tones.utterances(2, each=1)):
        soundfile.write(folder / f"u{number}.wav", item.samples, 16_000, subtype="PCM_16")
    rows = "".join(f"u{n}.wav\t{text}\ts{n % 4}\n" for n, text in enumerate(TEXTS))
    (folder / "t.tsv").write_text("path\ttext\tspeaker\n" + rows, encoding="utf-8")
    (folder / "donation.toml").write_text('name = "gift"\nlicence = "CC0-1.0"\ndonor = "<b>me</b>"\n')
    return folder


@pytest.fixture
def store(source: Path, store_root: Path) -> Store:
    refresh(RefreshRequest("donated", (source,), store=store_root))
    return open_store(store_root)


@pytest.fixture
def index(store: Store) -> Index:
    return Index(build_index(store, store.corpus("gift")))


def found(index: Index, **asked: Any) -> list[str]:
    return [row["text_raw"] for row in index.rows(Search(**asked))]


def test_every_row_and_refusal_is_there_and_found(store: Store, index: Index) -> None:
    items = store.corpus("gift").manifest["items"]
    assert items["rejected"] >= 1
    assert index.count(Search()) == items["accepted"] + items["rejected"] == len(TEXTS)
    assert sorted(found(index)) == sorted(TEXTS)
    assert sorted(found(index, text="MILL the")) == ["The Green mill stood", "the red mill"]
    assert found(index, text='"red mill"') == ["the red mill"]
    assert found(index, text='"mill red"') == []
    assert found(index, text="word, two") == ["One word, two"]  # as the source has it
    assert len(found(index, kind="rejected")) == items["rejected"] == index.count(Search(kind="rejected"))
    assert found(index, place="U4.WAV") == ["the red mill"]
    assert set(found(index, exact={"speaker_id": index.rows(Search(text="red"))[0]["speaker_id"]})) >= {
        "the red mill"
    }


def test_rows_are_sorted_and_filtered_by_figures(index: Index) -> None:
    lengths = [row["duration_s"] for row in index.rows(Search(kind="accepted", sort="duration_s", down=True))]
    assert lengths == sorted(lengths, reverse=True) and len(set(lengths)) > 1
    middle = sorted(lengths)[1]
    assert index.count(Search(ranges={"duration_s": (None, middle)})) >= 2
    pages = [index.rows(Search(sort="chars_per_s", limit=2, offset=at)) for at in (0, 2, 4)]
    assert len({row["row"] for page in pages for row in page}) == len(TEXTS)
    flag = index.values("flag", "", 9)[0]
    assert index.count(Search(flag=flag[0])) == flag[1]


def test_names_from_outside_are_looked_up_and_values_bound(index: Index) -> None:
    for wrong in ([("sort", "row; DROP TABLE rows")], [("range", "text:1:")], [("range", "snr_db:x:")]):
        with pytest.raises(UsageError):
            read_search(wrong)
    assert index.count(read_search([("text", "' OR 1=1 --"), ("split", "'"), ("flag", '"')])) == 0
    assert read_search([("limit", "1000000"), ("offset", "-4")]).limit == 500


def test_doubt_beside_a_version_is_taken_in(store: Store, index: Index) -> None:
    import pyarrow as pa

    from corpora.browsing.columns import DOUBTS, HEARD
    from corpora.versions.shards import write_table

    corpus = store.corpus("gift")
    [first, *_] = index.rows(Search(kind="accepted"))
    figures = {**{name: [0.5] for name in DOUBTS}, HEARD: ["something else"]}
    write_table(doubt_path(store, corpus), pa.table({"utterance_id": [first["utterance_id"]], **figures}))
    doubted = Index(build_index(store, corpus))
    rows = doubted.rows(Search(sort="doubt", down=True))
    assert rows[0]["utterance_id"] == first["utterance_id"] and rows[0]["doubt"] == 0.5
    assert rows[1]["doubt"] is None and len(list(index_path(store, corpus).parent.glob("*.duckdb"))) == 1


def test_a_table_defuses_formulas(index: Index) -> None:
    text = "".join(as_csv(index, Search()))
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert f"'{HOSTILE}" in cells
    assert not [
        cell
        for cell in cells
        if cell.startswith(("=", "+", "@")) or (cell[:1] == "-" and cell[1:2].isalpha())
    ]


def test_parts_of_a_sound() -> None:
    assert part_of(10, None) is None and part_of(10, "lines=1-2") is None and part_of(10, "bytes=-") is None
    assert part_of(10, "bytes=0-") == (0, 10) and part_of(10, "bytes=3-4") == (3, 5)
    assert part_of(10, "bytes=-4") == (6, 10) and part_of(10, "bytes=5-99") == (5, 10)
    for beyond in ("bytes=10-", "bytes=7-3"):
        with pytest.raises(ValueError, match="bytes"):
            part_of(10, beyond)


def guest(request: Request) -> Visitor:
    role = request.headers.get("authorization", "")
    if not role:
        raise HTTPException(401)
    return Visitor(f"<{role}>", role == "operator")


@pytest.fixture
def client(store: Store) -> Iterator[TestClient]:
    with TestClient(make_app(guest), headers={"authorization": "operator"}) as client:
        yield client


def version(store: Store) -> str:
    return store.corpus("gift").version


def test_no_route_is_open(client: TestClient) -> None:
    stranger = TestClient(client.app)
    filled = {"{name}": "gift", "{version}": "current", "{number}": "0"}
    routes = [route.path for route in client.app.routes]  # type: ignore[attr-defined]
    assert len(routes) >= 9
    for path in routes:
        for old, new in filled.items():
            path = path.replace(old, new)
        for method in ("GET", "POST"):
            assert stranger.request(method, path).status_code in (401, 405), path


def test_the_page_is_the_same_for_every_store_and_runs_its_own_script_only(client: TestClient) -> None:
    page = client.get("/")
    policy = page.headers["content-security-policy"]
    assert "unsafe" not in policy and "default-src 'none'" in policy
    assert "<script type=" in page.text and "style=" not in page.text and "onclick" not in page.text
    assert client.get("/files/page.js").headers["content-type"].startswith("text/javascript")
    assert client.get("/files/../library.py").status_code == 404
    assert "innerHTML" not in client.get("/files/page.js").text


def test_hostile_text_comes_as_json(client: TestClient, store: Store) -> None:
    answer = client.get(f"/api/gift/{version(store)}/rows", params={"text": "<script>"})
    assert answer.headers["content-type"] == "application/json"
    assert [row["text_raw"] for row in answer.json()["rows"]] == [HOSTILE]
    for name in ("..", "gift%2f..", "GIFT", "nobody"):
        assert client.get(f"/api/{name}/current/rows").status_code == 404
    assert (
        client.get("/api/gift/current/rows", params={"sort": "x"}).json()["problem"].startswith("there is no")
    )


def test_sound_comes_from_its_row_group_and_in_parts(client: TestClient, store: Store) -> None:
    kept = {r["utterance_id"]: r for b in store.corpus("gift").batches() for r in b.to_pylist()}
    rows = client.get("/api/gift/current/rows").json()["rows"]
    for row in rows:
        path = f"/api/gift/current/sound/{row['row']}"
        if not row["accepted"]:
            assert client.get(path).status_code == 404
            continue
        whole = client.get(path)
        assert whole.content == kept[row["utterance_id"]]["audio"]["bytes"]
        assert whole.headers["content-type"] == "audio/flac"
        part = client.get(path, headers={"range": "bytes=2-9"})
        assert (part.status_code, part.content) == (206, whole.content[2:10])
        assert part.headers["content-range"] == f"bytes 2-9/{len(whole.content)}"
        assert client.get(path, headers={"range": f"bytes={10**9}-"}).status_code == 416


def test_a_decision_needs_the_page_a_role_and_sense(client: TestClient, store: Store) -> None:
    rows = client.get("/api/gift/current/rows", params={"kind": "accepted"}).json()["rows"]
    path = f"/api/gift/{version(store)}/row/{rows[0]['row']}/decide"
    page = {"x-speechmill": "page"}
    assert client.post(path, json={"action": "flag"}).status_code == 403
    assert (
        client.post(
            path, json={"action": "flag"}, headers={**page, "sec-fetch-site": "cross-site"}
        ).status_code
        == 403
    )
    form = {**page, "content-type": "application/x-www-form-urlencoded"}
    assert client.post(path, content='{"action": "flag"}', headers=form).status_code == 403
    reader = {**page, "authorization": "reader"}
    assert client.post(path, json={"action": "flag"}, headers=reader).status_code == 403
    for wrong in ("[]", "{", '{"action": 3}', '{"action": "praise"}', '{"action": "correct", "text": "漢"}'):
        typed = {**page, "content-type": "application/json"}
        assert client.post(path, content=wrong.encode(), headers=typed).status_code == 400, wrong
    assert client.post(path, json={"action": "flag", "why": "x" * 200_000}, headers=page).status_code == 400
    assert not client.get("/api/corpora").json()["corpora"][0]["due"]
    done = client.post(path, json={"action": "flag", "why": HOSTILE}, headers=page)
    assert done.status_code == 200 and done.json()["decision"]["by"] == "<operator>"
    assert client.get("/api/corpora").json()["corpora"][0]["due"]
    row = client.get(f"/api/gift/current/row/{rows[0]['row']}").json()
    assert [(one["why"], one["in_force"]) for one in row["decisions"]] == [(HOSTILE, True)]
    [decided] = client.get("/api/gift/current/rows", params={"decided": "1"}).json()["rows"]
    assert decided["utterance_id"] == rows[0]["utterance_id"]


def test_what_was_flagged_is_seen_among_the_refusals_and_undone_there(
    client: TestClient, store: Store, source: Path
) -> None:
    page = {"x-speechmill": "page"}
    [row] = client.get("/api/gift/current/rows", params={"text": "red"}).json()["rows"]
    first = version(store)
    client.post(
        f"/api/gift/current/row/{row['row']}/decide", json={"action": "flag", "why": "hiss"}, headers=page
    )
    refresh(RefreshRequest("donated", (source,), store=store.root))
    [gone] = client.get("/api/gift/current/rows", params={"text": "red"}).json()["rows"]
    assert (gone["accepted"], gone["check"]) == (False, "flagged_by_listener") and "hiss" in gone["reason"]
    assert client.get(f"/api/gift/{first}/rows", params={"text": "red"}).json()["rows"][0]["accepted"]
    path = f"/api/gift/current/row/{gone['row']}/decide"
    assert client.post(path, json={"action": "flag"}, headers=page).status_code == 404
    assert client.post(path, json={"action": "undo"}, headers=page).status_code == 200
    refresh(RefreshRequest("donated", (source,), store=store.root))
    assert version(store) == first


def test_a_large_version_is_indexed_by_a_process_of_its_own(
    client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "_AT_ONCE", 1)
    answer = client.get("/api/gift/current/rows")
    assert (answer.status_code, answer.json()) == (202, {"building": True})
    while answer.status_code == 202:
        answer = client.get("/api/gift/current/rows")
    assert len(answer.json()["rows"]) == len(TEXTS)


def test_the_command_makes_the_index_and_it_may_be_deleted(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["index", "gift", "--store", str(store.root), "--json"]
    assert main(line) == 0
    said = json.loads(capsys.readouterr().out)
    Path(said["path"]).unlink()
    assert main(line) == 0
    assert Path(said["path"]).stat().st_size == json.loads(capsys.readouterr().out)["bytes"]
