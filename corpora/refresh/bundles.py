"""A plan's groups in as many bundles as there shall be workers, for schedulers that start a task for each.

Bundles change nothing in the result: groups stay what they are. The process pool of `refresh` needs none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from corpora.errors import GateRefusedError, NothingImportedError
from corpora.quality.gate import refusal
from corpora.refresh.groups import run_group
from corpora.refresh.plan import RefreshRequest, plan_refresh, read_plan
from corpora.refresh.seal import seal
from corpora.refresh.workers import GroupProgress
from corpora.report import write_refused_report
from corpora.versions.same_sources import published_twice
from store.opening import open_store
from store.store import Store

Bundle = dict[str, Any]


def plan_bundles(request: RefreshRequest) -> list[Bundle]:
    """Plan a refresh and share its groups out: one to `request.workers` bundles of like cost.

    Returns:
        JSON-able bundles: plan (path), indices (of groups; none if nothing has changed), label (for people).

    Raises what `plan_refresh` raises.
    """
    path = plan_refresh(request)
    plan = read_plan(path)
    groups = plan["groups"]
    if not groups:
        return [{"plan": str(path), "indices": [], "label": f"{plan['name']}: unchanged, nothing to import"}]
    shares: list[list[int]] = [[] for _ in range(min(request.workers, len(groups)))]
    loads = [0.0] * len(shares)
    for index in sorted(range(len(groups)), key=lambda at: (-groups[at]["cost"], at)):
        lightest = loads.index(min(loads))
        shares[lightest].append(index)
        loads[lightest] += groups[index]["cost"]
    return [
        {"plan": str(path), "indices": sorted(share), "label": _label(plan["name"], share, len(groups))}
        for share in shares
    ]


def _label(name: str, share: list[int], total: int) -> str:
    if len(share) == total:
        return f"{name}: all {total} groups" if total > 1 else f"{name}: the only group"
    numbers = ", ".join(str(index + 1) for index in sorted(share)[:5])
    return f"{name}: groups {numbers}{' …' if len(share) > 5 else ''} of {total}"


def run_bundle(bundle: Bundle) -> dict[str, Any]:
    """Do the groups of a bundle one after the other, with progress in the log; returns totals.

    Raises what `run_group` raises.
    """
    totals: dict[str, Any] = {"input": 0, "accepted": 0, "rejected": 0, "duration_s": 0.0, "reused": 0}
    groups = read_plan(Path(bundle["plan"])).groups if bundle["indices"] else []
    with GroupProgress(bundle["label"], [groups[index] for index in bundle["indices"]]) as progress:
        for index in bundle["indices"]:
            done = run_group(bundle["plan"], index)
            progress.add(done, groups[index]["cost"])
            for key in totals:
                totals[key] += done[key]
    return totals


def name_of(bundles: list[Bundle]) -> str:
    """The corpus that these bundles become."""
    return str(read_plan(Path(bundles[0]["plan"]))["name"])


def seal_bundles(bundles: list[Bundle]) -> dict[str, Any]:
    """`seal` of the bundles' plan; what is refused gets its page. `twice`: sources that another corpus has too.

    Raises:
        GateRefusedError: the corpus did not pass; names what failed. Also what `seal` raises.
    """
    plan = read_plan(Path(bundles[0]["plan"]))
    store = open_store(plan.store or None)
    try:
        sealed = seal(Path(bundles[0]["plan"]))
    except NothingImportedError:
        refused = Path(plan.work_dir) / "refused"
        if (refused / "manifest.json").is_file():
            write_refused_report(store, plan.name, refused)
        raise
    if sealed["status"] == "quarantined":
        raise GateRefusedError(
            f"{sealed['corpus']} waits in quarantine ({sealed['quarantine']}): {sealed['path']}; fill in "
            f"{sealed['draft'] or 'a donation.toml'} and name it as the donation"
        )
    require_passed(sealed, store)
    return {**sealed, "twice": published_twice(store, sealed["corpus"], plan.identities)}


def require_passed(sealed: dict[str, Any], store: Store) -> None:
    """Write the page of a corpus that the gate refused, and say so.

    Raises:
        GateRefusedError: it did not pass; names what failed.
    """
    if sealed["published"]:
        return
    write_refused_report(store, sealed["corpus"], Path(sealed["path"]))
    broken = refusal(sealed["corpus"], sealed["gate"])
    raise GateRefusedError(
        f"the gate refused {sealed['corpus']}, nothing was published. Broken: {broken}. "
        "Every refused row with its reason stands on the page of this run"
    )
