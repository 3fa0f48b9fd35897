"""What every page does with a figure and with text that means harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from store.pages.environment import page_environment
from store.pages.numbers import UNBROKEN, count, hours, percent, share, size


def rendered(template: str, **values: object) -> str:
    return page_environment(Path()).from_string(template).render(**values)


def test_figures_are_written_in_one_way() -> None:
    assert [count(1750), count(None), count(1234.5)] == ["1,750", "–", "1,234.5"]
    assert [hours(2.154), hours(0.07), hours(1234.5)] == [
        f"2.15{UNBROKEN}h",
        f"4.2{UNBROKEN}min",
        f"1,234.50{UNBROKEN}h",
    ]
    assert [percent(0.1534), percent(0.5, 0), percent(None)] == [f"15.34{UNBROKEN}%", f"50{UNBROKEN}%", "–"]
    assert [share(1, 8), share(1, 0)] == [f"12.5{UNBROKEN}%", "–"]
    assert [size(2_500_000), size(1234)] == [f"2.5{UNBROKEN}MB", f"1,234{UNBROKEN}bytes"]
    assert rendered("{{ 1750 | count }} {{ 0.1 | percent }}") == f"1,750 10.00{UNBROKEN}%"


@pytest.mark.parametrize(
    "sign", ["\u202e", "\u2067", "\u200f", "\u200b", "\x00", "\x1b", "\x9b", "\u2028", "\ufeff"]
)
def test_a_sign_that_nobody_sees_is_written_out_wherever_a_template_says_a_text(sign: str) -> None:
    template = "{{ x }}{% set a %}<b>{{ x }}</b>{% endset %}{{ a }}{% macro m(y) %}<i>{{ y }}</i>{% endmacro %}{{ m(x) }}"
    shown = f"a[U+{ord(sign):04X}]&lt;"
    assert rendered(template, x=f"a{sign}<") == f"{shown}<b>{shown}</b><i>{shown}</i>"


def test_words_of_any_script_stay_as_they_are() -> None:
    words = "سلام\u200cها שלום ẁords e\u0301\n\t"
    assert rendered("{{ x }}|{{ 3 }}|{{ none }}", x=words) == f"{words}|3|None"
