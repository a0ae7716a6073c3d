from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from emobatch.errors import DeviceError
from emobatch.scoring import batches
from emobatch.scoring.runners.threads import in_order

POOL = ThreadPoolExecutor(1)
LENGTHS = st.lists(st.floats(0.01, 60), max_size=60)


@given(LENGTHS, st.floats(1, 200))
def test_every_item_is_in_one_batch_within_the_budget(lengths: list[float], budget: float) -> None:
    groups = batches.by_length(lengths, budget)
    assert sorted(place for group in groups for place in group) == list(range(len(lengths)))
    for group in groups:
        assert len(group) == 1 or len(group) * max(lengths[place] for place in group) <= budget


@given(LENGTHS)
def test_batches_are_of_like_length(lengths: list[float]) -> None:
    groups = [[lengths[place] for place in group] for group in batches.by_length(lengths, 60)]
    for longer, shorter in pairwise(groups):
        assert min(longer) >= max(shorter)
        # The next item would not have fitted into the batch before it.
        assert (len(longer) + 1) * longer[0] > 60


@given(LENGTHS, st.floats(1, 100))
def test_looking_ahead_keeps_order_and_bounds_what_is_held(
    lengths: list[float], budget: float
) -> None:
    groups = list(batches.look_ahead(lengths, float, budget))
    assert [length for group in groups for length in group] == lengths
    assert all(sum(group[:-1]) < budget for group in groups)
    assert all(sum(group) >= budget for group in groups[:-1])


def test_what_fails_costs_its_own_item() -> None:
    def halve(batch: list[int]) -> list[int]:
        if any(item % 2 for item in batch):
            raise ValueError(f"odd: {batch}")
        return [item // 2 for item in batch]

    results = batches.run(halve, [4, 3, 8, 5, 2], float, 100, POOL)
    assert [r for r in results if isinstance(r, int)] == [2, 4, 1]
    assert [str(r) for r in results if isinstance(r, Exception)] == ["odd: [3]", "odd: [5]"]


def test_what_the_user_can_mend_ends_the_run() -> None:
    def fail(batch: list[int]) -> list[int]:
        raise DeviceError("no libcublas")

    with pytest.raises(DeviceError, match="no libcublas"):
        batches.run(fail, [1, 2], float, 100, POOL)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("CUDA failed with error out of memory"),  # as CTranslate2 says it
        MemoryError(),
    ],
    ids=repr,
)
def test_a_batch_out_of_memory_goes_on_in_halves(
    caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    def small(batch: list[int]) -> list[int]:
        if len(batch) > 2:
            raise error
        return [-item for item in batch]

    assert batches.run(small, [1] * 9, float, 100, POOL) == [-1] * 9
    assert "out of memory at a batch of 9, going on with halves" in caplog.text


def test_workers_give_the_results_of_one() -> None:
    seen: list[list[int]] = []
    items = list(range(1, 60))
    results = batches.run(
        lambda batch: [i * 2 for i in batch], items, float, 100, ThreadPoolExecutor(4), seen.append
    )
    assert results == [item * 2 for item in items]
    assert [item for batch in seen for item in batch] == sorted(items, reverse=True)


@pytest.mark.parametrize(("workers", "ahead"), [(1, 0), (2, 1), (3, 5), (2, 90)])
def test_work_done_in_threads_is_handed_on_in_order(workers: int, ahead: int) -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(40):
            taken.append(number)
            yield number

    results = in_order(lambda number: -number, items(), workers, ahead)
    assert next(results) == 0
    assert len(taken) == min(ahead + 1, 40), "no further ahead than is said"
    assert list(results) == [-number for number in range(1, 40)]
