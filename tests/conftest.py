"""What every test shares: the root of the tree, a store of its own, the real data where it lies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.training.slurm_cluster import SlurmCluster, why_not

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("SPEECHMILL_ROOT", str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture
def store_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty store that $SPEECHMILL_STORE names for the time of one test."""
    path = tmp_path / "store"
    monkeypatch.setenv("SPEECHMILL_STORE", str(path))
    return path


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The directory of real speech data for outside checks; the test is skipped where there is none."""
    path = Path(os.environ.get("SPEECHMILL_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip("no real data here (SPEECHMILL_REAL_DATA names its directory)")
    return path


@pytest.fixture(scope="session")
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An Airflow home of the session's own with an empty database; a running Airflow is not touched."""
    from launcher.home import Home

    folder = tmp_path_factory.mktemp("airflow")
    home = Home(ROOT, folder / "home", folder / "store")
    home.make()
    keep = (
        "SPEECHMILL_ROOT",
        "SPEECHMILL_PORT",
        "SPEECHMILL_EXECUTION_PORT",
        "AIRFLOW_HOME",
        "AIRFLOW_CONFIG",
    )
    os.environ.update({name: value for name, value in home.environment({}, port=1).items() if name in keep})
    for name in [name for name in os.environ if name.startswith("AIRFLOW__")]:
        del os.environ[name]
    os.environ["AIRFLOW__CORE__UNIT_TEST_MODE"] = "False"
    from airflow.utils.db import initdb

    initdb()
    return home.path


@pytest.fixture(scope="module")
def bag(airflow_home: Path, root: Path) -> Any:
    """All DAGs, stored as the dag-processor does, so that their runs find each other in the database."""
    from airflow.dag_processing.collection import update_dag_parsing_results_in_db
    from airflow.dag_processing.dagbag import BundleDagBag
    from airflow.models.dagbundle import DagBundleModel
    from airflow.serialization.serialized_objects import LazyDeserializedDAG
    from airflow.utils.session import create_session

    bag = BundleDagBag(str(root / "dags"), bundle_path=root / "dags", bundle_name="dags-folder")
    assert bag.import_errors == {}
    with create_session() as session:
        if session.get(DagBundleModel, "dags-folder") is None:
            session.add(DagBundleModel(name="dags-folder"))
        session.flush()
        update_dag_parsing_results_in_db(
            bundle_name="dags-folder", bundle_version=None, version_data=None,
            dags=[LazyDeserializedDAG.from_dag(dag) for dag in bag.dags.values()],
            import_errors={}, parse_duration=None, warnings=set(), session=session,
        )  # fmt: skip
    return bag


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmCluster]:
    """A Slurm of two nodes on this machine; the test is skipped where none can be started."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    with SlurmCluster(tmp_path_factory.mktemp("slurm")) as running:
        yield running
