"""Clips to batches: alike in length, bounded by what they take once padded."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import TypeVar

from emobatch.errors import EmobatchError
from emobatch.models.faults import is_out_of_memory
from emobatch.scorers.scorer import Results

log = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")


def by_length(lengths: Sequence[float], budget: float) -> list[list[int]]:
    """Group items of like length, so that little of a padded batch is padding.

    Args:
        lengths: (items,) in any unit.
        budget: the most that a batch may hold once padded (items x longest), in the same unit; an
            item that is longer than that gets a batch of its own.

    Returns:
        Batches of places in ``lengths``, the longest items first; each place occurs once.

    Examples:
        >>> by_length([1.0, 4.0, 1.2, 3.0], budget=6.0)
        [[1], [3, 2], [0]]
    """
    order = sorted(range(len(lengths)), key=lambda place: (-lengths[place], place))
    batches: list[list[int]] = []
    for place in order:
        longest = lengths[batches[-1][0]] if batches else 0.0
        if batches and longest * (len(batches[-1]) + 1) <= budget:
            batches[-1].append(place)
        else:
            batches.append([place])
    return batches


def look_ahead(
    items: Iterable[Item], length: Callable[[Item], float], budget: float
) -> Iterator[list[Item]]:
    """Gather items to be sorted into batches, as many as memory is given for.

    Args:
        items: in any order, made as they are asked for.
        length: of an item.
        budget: the length at which a group is handed on.

    Yields:
        Groups of items in order.
    """
    group: list[Item] = []
    held = 0.0
    for item in items:
        group.append(item)
        held += length(item)
        if held >= budget:
            yield group
            group, held = [], 0.0
    if group:
        yield group


def run(
    model: Callable[[list[Item]], Results[Result]],
    items: Sequence[Item],
    length: Callable[[Item], float],
    budget: float,
    pool: Executor,
    done: Callable[[list[Item]], None] = lambda batch: None,
) -> list[Result | Exception]:
    """Put items through a model in batches; what fails costs its own item and nothing else.

    Args:
        model: results for a batch, one for each item in order; called from several threads.
        items: in any order.
        length: of an item.
        budget: see :func:`by_length`.
        pool: runs as many batches at a time as it has workers.
        done: told of each batch when it is through, from this thread.

    Returns:
        (items,) results in the order of the items; an exception where the item failed alone.
    """
    results: list[Result | Exception] = [RuntimeError("not run")] * len(items)
    batches = by_length([length(item) for item in items], budget)
    contents = [[items[place] for place in places] for places in batches]
    scored = pool.map(partial(_run_batch, model), contents)
    for places, content, batch_results in zip(batches, contents, scored, strict=True):
        for place, result in zip(places, batch_results, strict=True):
            results[place] = result
        done(content)
    return results


def _run_batch(
    model: Callable[[list[Item]], Results[Result]], batch: list[Item]
) -> list[Result | Exception]:
    try:
        return list(model(batch))
    except EmobatchError:
        raise  # a missing library or device fails every row, and the user can mend it
    except Exception as error:
        if len(batch) == 1:
            return [error]
        if is_out_of_memory(error):
            log.warning("note: out of memory at a batch of %d, going on with halves", len(batch))
    # Half as large fits into memory, and halves of halves find the one item that a model fails on.
    middle = len(batch) // 2
    return _run_batch(model, batch[:middle]) + _run_batch(model, batch[middle:])
