"""`python -m collect …`: what each command prints, and that publishing gives a corpus."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from collect_visitors import Volunteer

from collect.__main__ import main
from collect.database.engine import HEAD, Database, alembic_config
from collect.settings import Settings, usable_url


@pytest.fixture
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("SPEECHMILL_COLLECT", str(settings.folder))
    monkeypatch.setenv("SPEECHMILL_STORE", str(settings.store))
    for name in ("SPEECHMILL_COLLECT_DB", "SPEECHMILL_COLLECT_MODEL"):
        monkeypatch.delenv(name, raising=False)
    return settings


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_campaign_from_a_file_an_invite_and_more_sentences(
    environment: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "s.txt"
    text.write_text("The boat sailed home.\nShe has 2 boats.\n")
    begun = said(capsys, "campaign", "boats", "--text", str(text), "--source", "us", "--open")
    assert begun["sentences"]["taken"] == 1 and begun["sentences"]["refused"] == {"numbers": 1}
    assert "/i/" in said(capsys, "invite", "boats", "--uses", "2", "--url", "https://x.example")["link"]
    text.write_text("The boat sailed home!\nThe miller slept.\n")
    more = said(capsys, "sentences", "boats", "--text", str(text), "--source", "us", "--licence", "CC0-1.0")
    assert (more["sentences"]["taken"], more["sentences"]["doubles"]) == (1, 1)
    listed = said(capsys, "campaign")["campaigns"]
    assert [one["campaign"] for one in listed] == ["boats", "harbour"]


def test_publish_export_withdraw(
    environment: Settings,
    volunteer: Callable[[], Volunteer],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["publish", "harbour", "--no-airflow"]) == 2
    assert "no accepted clip yet" in capsys.readouterr().err
    people = [volunteer() for _ in range(3)]
    clip = people[0].speak(1)
    for listener in people[1:]:
        listener.vote(clip, True)
    done = said(capsys, "publish", "harbour", "--no-airflow")
    assert done["refresh"]["utterances"] == 1 and done["by"] == "command"
    assert said(capsys, "campaign")["campaigns"][0]["version"] == done["refresh"]["version"]
    rows = said(capsys, "export", "harbour", "--to", str(tmp_path / "cv"))["rows"]
    assert rows["validated"] == 1
    gone = said(capsys, "withdraw", "harbour", "--voice", json.loads(_account(people[0]))["voice"])
    assert gone["clips"] == [clip] and gone["made"]["versions"] == [done["refresh"]["version"]]


def _account(person: Volunteer) -> bytes:
    import io
    import zipfile

    zipped = zipfile.ZipFile(io.BytesIO(person.get("/c/harbour/me/everything.zip").content))
    return zipped.read("account.json")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"], ["invite", "nowhere"], ["publish", "nowhere"], ["campaign", "Bad Name"],
        ["sentences", "harbour", "--text", "/no/such/file", "--source", "x", "--licence", "y"],
        ["withdraw", "harbour", "--voice", "nobody"], ["export", "harbour"],
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_sentence(
    environment: Settings, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main(arguments) == 2
    err = [line for line in capsys.readouterr().err.splitlines() if " INFO " not in line]
    assert len(err) == 1 and "Traceback" not in err[0]


def test_the_migrations_lead_to_the_tables_there_are(tmp_path: Path) -> None:
    from alembic import command
    from alembic.script import ScriptDirectory

    database = Database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    database.migrate()
    config = alembic_config(database.url)
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD
    command.check(config)
    command.downgrade(config, "base")
    database.migrate()
    database.close()


def test_the_database_is_sqlite_or_postgresql() -> None:
    assert usable_url("postgresql://a@b/c") == "postgresql+psycopg2://a@b/c"
    with pytest.raises(Exception, match="wanted: postgresql"):
        usable_url("mysql://a@b/c")
