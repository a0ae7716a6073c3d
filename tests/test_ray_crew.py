"""Which worker is given what, and what becomes of it when one is lost: Ray itself is made up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from emobatch.errors import DeviceError
from emobatch.scoring.progress import Silent
from emobatch.scoring.runners import ray_crew
from emobatch.scoring.runners.ray_crew import Crew


class RayError(Exception):
    pass


class RayTaskError(RayError):
    pass


class MadeUpRay:
    """Does what it is asked when the result is; loses workers at the results that it is told."""

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def __init__(self, lost_at: set[int], deadly: int | None = None) -> None:
        self.lost_at, self.deadly = lost_at, deadly
        self.started = self.results = 0

    def remote(self, kind: type) -> Any:
        return SimpleNamespace(options=lambda **options: SimpleNamespace(remote=self._start))

    def _start(self, threads: str) -> Any:
        self.started += 1
        actor = SimpleNamespace(is_lost=False)
        actor.open, actor.score = (self._method(actor, name) for name in ("open", "score"))
        return actor

    def _method(self, actor: Any, name: str) -> Any:
        return SimpleNamespace(remote=lambda *given: Ref(actor, name, given))

    def put(self, value: object) -> object:
        return value

    def wait(
        self, refs: list[Any], num_returns: int, timeout: float
    ) -> tuple[list[Any], list[Any]]:
        assert refs, "nothing is waited for"
        return refs[:num_returns], []

    def get(self, ref: Any) -> Any:
        self.results += 1
        rows = ref.given[0] if ref.name == "score" else None
        if rows is not None and self.deadly in rows["row"].to_list():
            ref.actor.is_lost = True
        if ref.actor.is_lost or self.results in self.lost_at:
            ref.actor.is_lost = True
            raise RayError("lost\nmore of it")
        if rows is None:
            return None
        return rows.with_columns(status=pl.lit("ok"), duration=1.0)

    def kill(self, actor: Any) -> None:
        actor.is_lost = True

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 3.0}


class Ref:
    def __init__(self, actor: Any, name: str, given: tuple[Any, ...]) -> None:
        self.actor, self.name, self.given = actor, name, given


@pytest.fixture(autouse=True)
def no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_crew, "made_with", lambda *given: {})
    monkeypatch.setattr(ray_crew, "models", lambda plan: {})
    monkeypatch.setattr(
        "emobatch.scoring.runners.attempts.failed",
        lambda recipe, rows: rows.with_columns(status=pl.lit("error"), duration=None),
    )


def crew(ray: MadeUpRay, count: int | None = None) -> Crew:
    device = SimpleNamespace(workers=1)
    recipe = SimpleNamespace(plan=None, device=device, gate=None)

    def chunk(first: int) -> SimpleNamespace:
        return SimpleNamespace(frame=pl.DataFrame({"row": range(first, first + 4)}))

    work = SimpleNamespace(recipe=recipe, chunk=chunk, progress=Silent())
    return Crew(ray, work, 1.0, 0.0, count)  # type: ignore[arg-type]


@pytest.mark.parametrize("lost_at", [set(), {1}, {4}, {5, 6}, {4, 7, 9, 12}])
@pytest.mark.parametrize("count", [None, 1, 2])
def test_every_chunk_comes_once_whoever_is_lost(lost_at: set[int], count: int | None) -> None:
    ray = MadeUpRay(lost_at)
    found = {chunk.first: chunk.frame for chunk in crew(ray, count).score(range(0, 40, 4))}
    assert sorted(found) == list(range(0, 40, 4))
    for first, frame in found.items():
        assert frame["row"].to_list() == list(range(first, first + 4))
        assert frame["status"].unique().to_list() == ["ok"]


def test_a_row_that_ends_its_worker_fails_alone() -> None:
    ray = MadeUpRay(set(), deadly=17)
    found = pl.concat(chunk.frame for chunk in crew(ray).score(range(0, 40, 4)))
    assert len(found) == 40
    assert found.filter(status="error")["row"].to_list() == [17]


def test_there_are_no_more_workers_than_chunks() -> None:
    ray = MadeUpRay(set())
    assert len(list(crew(ray, 50).score(range(0, 8, 4)))) == 2
    assert ray.started == 2


def test_where_no_worker_opens_the_run_ends() -> None:
    with pytest.raises(DeviceError, match="no worker loads its models, the last: a worker is lost"):
        list(crew(MadeUpRay(set(range(1, 99)))).score(range(0, 40, 4)))
