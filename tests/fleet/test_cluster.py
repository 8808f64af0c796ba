"""A cluster's answers, while what gives them is asked again and again whether it has them."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

import pytest

from iptlint.fleet import cluster
from iptlint.fleet.judge import Judge, Task
from iptlint.host.linted import Wanted
from tests.fleet.made_up import RULES, host


def test_asking_often_whether_an_answer_is_there_loses_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The client fetches the answers of several tasks in one: a wait that is given up takes those
    of others with it (``Client._gather_future`` of distributed 2026.8)."""
    distributed = pytest.importorskip("distributed")
    fetch = distributed.Client._gather_remote

    async def fetch_slowly(*args: Any) -> Any:
        await asyncio.sleep(0.04)
        return await fetch(*args)

    monkeypatch.setattr(distributed.Client, "_gather_remote", fetch_slowly)
    monkeypatch.setattr(cluster, "_TICK", 0.02)
    judge = Judge(Wanted())
    tasks = [pickle.dumps(Task(f"h{n}", host(RULES, f"h{n}"))) for n in range(24)]
    here = [judge.work(task) for task in tasks]
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
        ) as local,
        cluster.Cluster(local.scheduler_address, judge) as there,
    ):
        assert list(there.answers(tasks)) == here
