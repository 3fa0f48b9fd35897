"""Tells the other DAGs when a run of `corpus_refresh` ends red: failed, refused by the gate, or marked failed by hand.

A corpus published by an earlier run may wait for this one (the other DAGs leave the work to the last refresh on its
way), and no task of a run that a person has ended can say that it is over. Airflow calls this in the process that
changes the state, inside that change's own transaction. It starts nothing itself and never stops the change.
"""

from __future__ import annotations

import logging
from typing import Any

from airflow.listeners import hookimpl

log = logging.getLogger(__name__)
DAG_ID = "corpus_refresh"


@hookimpl  # type: ignore[untyped-decorator]
def on_dag_run_failed(dag_run: Any, msg: str) -> None:
    """Send the event of the asset *corpora* for a refresh that ended red, if anything is due."""
    if dag_run.dag_id != DAG_ID:
        return
    try:
        if something_is_due():
            send_event(dag_run)
    except Exception:
        log.exception("the end of %s could not be told to the other DAGs", dag_run.run_id)


def something_is_due() -> bool:
    """Whether a language model is behind what is published; also where that cannot be said: its DAG shows why, in red."""
    from lm.due import due_language_models
    from native.errors import SpeechmillError

    try:
        return bool(due_language_models())
    except SpeechmillError:
        return True


def send_event(dag_run: Any) -> None:
    """One event without a corpus: nothing was published by this run."""
    from airflow.assets.manager import asset_manager
    from airflow.models.asset import AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select
    from sqlalchemy.orm import object_session

    def tell(session: Any) -> None:
        asset = session.scalar(select(AssetModel).where(AssetModel.name == "corpora"))
        if asset is not None:
            extra = {"name": None, "ended": "failed", "run_id": dag_run.run_id}
            asset_manager.register_asset_change(asset=asset, extra=extra, session=session)

    session = object_session(dag_run)
    if session is not None:
        tell(session)
        return
    with create_session() as own:
        tell(own)
