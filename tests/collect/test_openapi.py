"""The calls of the service as its OpenAPI description tells them, tried by schemathesis: no server error anywhere."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from collect_visitors import Volunteer

pytestmark = pytest.mark.slow
EXAMPLES = 60


def attempts(operation: Any, visitor: Volunteer, clip: str) -> Counter[str]:
    """Try an operation with what its description allows and what it does not; answers how often it was tried."""
    from hypothesis import HealthCheck, Phase, given, settings
    from schemathesis.checks import not_a_server_error

    tried: Counter[str] = Counter()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def one(case: Any) -> None:
        parameters = {**(case.path_parameters or {}), "name": "harbour"}
        if "clip" in parameters and tried.total() % 2:
            parameters["clip"] = clip
        case.path_parameters = parameters
        answer = case.call(
            headers={"x-csrf-token": visitor.csrf}, cookies=dict(visitor.client.cookies.items())
        )
        case.validate_response(answer, checks=(not_a_server_error,))
        tried[operation.label] += 1

    one()
    return tried


def test_no_call_of_the_description_makes_the_server_fail(app: Any) -> None:
    import schemathesis

    limits = app.state.services.settings.limits
    for name in ("calls_per_voice", "takes_per_voice", "votes_per_voice", "calls_per_address"):
        object.__setattr__(limits, name, (10**9, 1))
    anna, ben = Volunteer(app), Volunteer(app)
    clip = ben.speak(1)
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    tried: Counter[str] = Counter()
    for found in schema.get_all_operations():
        tried += attempts(found.ok(), anna, clip)
    print(f"\n{tried.total()} calls of {len(tried)} operations, no server error")
    assert len(tried) >= 12 and tried.total() >= 300, tried
