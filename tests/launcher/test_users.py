"""Who may log in: the file, the commands, and what Airflow is told."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from launcher.__main__ import main
from launcher.files import LaunchError
from launcher.home import Home


@pytest.fixture
def home(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("SPEECHMILL_ROOT", str(root))
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "home"))
    made = Home.of({"SPEECHMILL_ROOT": str(root), "AIRFLOW_HOME": str(tmp_path / "home")})
    made.make()
    return made


def passwords(home: Home) -> dict[str, str]:
    found: dict[str, str] = json.loads((home.secrets / "passwords.json").read_text())
    return found


def test_a_person_comes_and_goes_and_keeps_the_password_meanwhile(home: Home) -> None:
    assert home.users.for_airflow() == "admin:admin,operator:op,reader:viewer"
    assert main(["users", "add", "anna", "--role", "operator"]) == 0
    password = home.users.password("anna")
    assert home.users.roles()["anna"] == "operator" and set(passwords(home)) == set(home.users.roles())
    assert main(["users", "add", "anna", "--role", "admin"]) == 0
    assert home.users.password("anna") == password and "anna:admin" in home.users.for_airflow()
    assert home.environment({}, 1)["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"] == home.users.for_airflow()
    assert main(["users", "password", "anna"]) == 0
    assert home.users.password("anna") != password
    assert main(["users", "remove", "anna"]) == 0
    assert "anna" not in passwords(home) and "anna" not in home.users.for_airflow()
    for path in (home.users.file, home.secrets / "passwords.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_somebody_always_is_admin(home: Home) -> None:
    with pytest.raises(LaunchError, match="admin is the only admin"):
        home.users.remove("admin")
    assert home.users.add("anna", "admin")
    home.users.remove("admin")
    assert home.users.admin() == "anna"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('anna = "boss"', "anna is 'boss'; wanted: reader, operator, admin"),
        ('"anna:admin,eve" = "reader"', "is no name of a user"),
        ('anna = "reader"', "names no admin"),
        ("anna = ", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_is_refused_in_one_sentence(home: Home, text: str, said: str) -> None:
    home.users.file.write_text(text)
    with pytest.raises(LaunchError, match=said):
        home.environment({}, 1)


def test_nobody_is_removed_twice(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["users", "remove", "eve"]) == 1
    assert main(["users", "add"]) == 1
    told = capsys.readouterr().err
    assert "there is no user 'eve'; there are: admin, operator, reader" in told and "name somebody" in told
