"""*Speech → Utterances*: the browser of `corpora.browsing` under Airflow's login; who may start a refresh may decide."""

from __future__ import annotations

from typing import Annotated, Any

from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends

from corpora.browsing.pages import Visitor, make_app


def visitor(user: Annotated[Any, Depends(get_user)]) -> Visitor:
    """The user who is logged in; whoever may start `corpus_refresh` may decide about utterances."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails

    may = get_auth_manager().is_authorized_dag(
        method="POST", access_entity=DagAccessEntity.RUN, details=DagDetails(id="corpus_refresh"), user=user
    )
    return Visitor(str(user.get_name()), bool(may))


app = make_app(visitor)
