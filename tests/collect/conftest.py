"""A service in a folder of the test's own; its tables and first campaign are made once and copied."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from collect_visitors import PASSWORD, Browser, Volunteer

from collect.database.engine import Database
from collect.people import admins, campaigns
from collect.people.campaigns import NewCampaign
from collect.sentences import supply
from collect.sentences.proposals import Origin, take_in
from collect.settings import Settings
from collect.web.app import create_app

SENTENCES = (
    "The sailor sold ten small boats.",
    "The queen heard the captain at night.",
    "The miller painted the mill in the sun.",
    "Two sailors ran to the harbour.",
    "The knight knew the way to the sea.",
    "The old baker ate the bread.",
)


@pytest.fixture(scope="session")
def first_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the campaign `harbour`, six sentences and the admin anna."""
    path = tmp_path_factory.mktemp("collect") / "collect.sqlite"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    with database.writing() as session:
        campaign = campaigns.begin(session, NewCampaign("harbour", "Harbour voices", open_registration=True))
        take_in(session, campaign, SENTENCES, Origin("our own", "CC0-1.0"))
        supply.order(session, campaign)
        admins.add_admin(session, "anna", PASSWORD)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path


@pytest.fixture
def settings(tmp_path: Path, first_database: Path) -> Settings:
    folder = tmp_path / "collect"
    folder.mkdir()
    shutil.copyfile(first_database, folder / "collect.sqlite")
    return Settings(folder, f"sqlite:///{folder / 'collect.sqlite'}", store=tmp_path / "store")


@pytest.fixture
def app(settings: Settings) -> Iterator[Any]:
    made = create_app(settings)
    yield made
    made.state.services.close()


@pytest.fixture
def volunteer(app: Any) -> Callable[[], Volunteer]:
    return lambda: Volunteer(app)


@pytest.fixture
def admin(app: Any) -> Browser:
    browser = Browser(app)
    browser.get("/admin/login")
    answer = browser.post("/admin/login", {"user": "anna", "password": PASSWORD})
    assert answer.status_code == 303, answer.text
    browser.get("/admin")
    return browser
