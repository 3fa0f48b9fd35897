"""Charts: the policy admits exactly the scripts of a page, its data is no script, its figures stand as a table."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import jinja2
import pytest

from store.errors import StoreError
from store.pages import charts
from store.pages.charts import Bins, Chart, as_json, drawn_by, script_sources, scripts
from store.pages.environment import page_environment

HOSTILE = "</script><script>alert(1)</script>"
PAGE = (
    '{% from "charts.html" import figure, scripts as run %}{{ figure(charts[0], 0) }}{{ run(texts, data) }}'
)


def a_chart(title: str = "Duration") -> Chart:
    bins = Bins([0.0, 1.0, 2.0], {"train": [3, 4], HOSTILE: [0, 1]})
    return Chart(title, "seconds", "rows", "median 1", ("seconds", "all"), [("most", "2.0")], bins)


def rendered(one: Chart, tmp_path: Path) -> str:
    environment: jinja2.Environment = page_environment(tmp_path)
    return environment.from_string(PAGE).render(charts=[one], texts=scripts(), data=as_json([one]))


def test_the_policy_names_the_scripts_of_the_page_and_no_other(tmp_path: Path) -> None:
    page = rendered(a_chart(HOSTILE), tmp_path)
    ran = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in ran]
    assert hashes == script_sources().split() and len(hashes) == 3
    assert sum(map(len, ran)) < 1_500_000
    assert not any("\r" in one or "<!--" in one for one in ran), "a parser would read another text"
    assert re.fullmatch(r"Bokeh \d+\.\d+\.\d+", drawn_by())


def test_what_is_drawn_is_data_whatever_it_says(tmp_path: Path) -> None:
    page = rendered(a_chart(HOSTILE), tmp_path)
    [data] = re.findall(r'<script type="application/json" id="charts">(.*?)</script>', page, re.DOTALL)
    assert "<" not in data
    [told] = json.loads(data)
    assert told["title"] == HOSTILE and told["bins"]["counts"][HOSTILE] == [0, 1] and "rows" not in told
    assert HOSTILE not in page.replace(data, "") and "&lt;/script&gt;" in page


def test_the_figures_are_there_without_a_script(tmp_path: Path) -> None:
    page = rendered(a_chart(), tmp_path)
    figure = page[: page.index("<script")]
    assert '<td>most</td><td class="n">2.0</td>' in figure and "median 1" in figure
    assert 'class="drawn" hidden' in figure, "an empty frame is not shown where nothing draws"


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "find_spec", lambda name: None)
    scripts.cache_clear()
    with pytest.raises(StoreError, match="bokeh"):
        scripts()
    monkeypatch.undo()
    assert len(scripts()) == 3
