"""House rules of the DAG files: they parse fast, say whose they are and what to do when they are red."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DAG_IDS = {"corpus_refresh", "language_model", "retrain", "data_quality", "tune", "promote"}
PARSE_LIMIT_S = 3.0


def test_every_file_parses_into_the_dag_of_its_name(bag: Any, root: Path) -> None:
    assert bag.import_errors == {}
    assert set(bag.dags) == DAG_IDS
    assert {path.stem for path in (root / "dags").glob("*.py")} == DAG_IDS | {"assets"}


@pytest.mark.parametrize("dag_id", sorted(DAG_IDS))
def test_a_dag_says_whose_it_is_and_what_to_do(bag: Any, dag_id: str) -> None:
    dag = bag.dags[dag_id]
    assert "speechmill" in dag.tags
    assert dag.owner == "speechmill"
    assert dag.description
    assert "red" in dag.doc_md
    assert not dag.catchup
    for task in dag.tasks:
        assert f"`{task.task_id}`" in dag.doc_md, f"the text of {dag_id} does not mention {task.task_id}"


def test_events_are_folded_where_a_run_reads_everything(bag: Any) -> None:
    folding = {dag_id for dag_id in DAG_IDS if bag.dags[dag_id].max_active_runs == 1}
    assert folding == DAG_IDS - {"corpus_refresh"}


def test_dag_files_never_import_each_other(root: Path) -> None:
    for path in (root / "dags").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & DAG_IDS, path.name


def test_parsing_the_folder_is_cheap(airflow_home: Path, root: Path) -> None:
    program = """if True:
        import sys, time, pathlib
        from airflow.dag_processing.dagbag import BundleDagBag
        folder, begun = pathlib.Path(sys.argv[1]), time.process_time()
        bag = BundleDagBag(str(folder), bundle_path=folder, bundle_name="dags-folder")
        assert not bag.import_errors, bag.import_errors
        heavy = {"tensorflow", "great_expectations", "dask"} & set(sys.modules)
        assert not heavy, heavy
        print(time.process_time() - begun)"""
    command = [sys.executable, "-c", program, str(root / "dags")]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[-1]) < PARSE_LIMIT_S


def test_a_dag_ships_paused_and_unpausing_starts_nothing(bag: Any) -> None:
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    with create_session() as session:
        for dag_id in DAG_IDS:
            assert session.get(DagModel, dag_id).is_paused
        for dag_id in DAG_IDS:
            session.get(DagModel, dag_id).is_paused = False
        session.flush()
        due, by_asset = DagModel.dags_needing_dagruns(session)
        assert not list(due)
        assert not by_asset
        for dag_id in DAG_IDS:
            session.get(DagModel, dag_id).is_paused = True


def test_the_weekly_time_is_never_made_up_for(airflow_home: Path, root: Path) -> None:
    import pendulum
    from airflow.timetables.base import DataInterval, TimeRestriction

    sys.path.append(str(root / "plugins"))
    from weekly import ForwardCronTimetable

    timetable = ForwardCronTimetable("0 3 * * 0", timezone="UTC")
    now = pendulum.now("UTC")
    start = TimeRestriction(earliest=now.subtract(weeks=20), latest=None, catchup=False)
    for last in (None, DataInterval.exact(now.subtract(weeks=9)), DataInterval.exact(now.subtract(days=7))):
        info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=start)
        assert info is not None
        assert now.subtract(minutes=2) <= info.run_after <= now.add(weeks=1)
        assert (info.run_after.isoweekday(), info.run_after.hour) == (7, 3)
    assert type(timetable).deserialize(timetable.serialize()).serialize() == timetable.serialize()
