"""What a model says of the rows that validate: whole clips, as `score` hears them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from emobatch.scorers.scorer import WindowScore, mean_by_duration
from emobatch.training.batches import AHEAD, grouped
from emobatch.training.learner import Learner
from emobatch.training.ranks import Ranks
from emobatch.training.source import Source, Take

Said = list[tuple[Take, NDArray[np.float64]]]


def results(
    learner: Learner, source: Source, most: float, ranks: Ranks, device: torch.device
) -> NDArray[np.float64]:
    """Let a model say what it says of each row.

    Args:
        learner: the model.
        source: the rows that validate.
        most: sum of a batch's lengths, in samples or tokens, once it is padded.
        ranks: processes, each of which has some of the batches.
        device: where the model is.

    Returns:
        (rows, outputs): of a clip's windows the mean, by their durations.
    """
    rows = range(len(source.lengths))
    batches = grouped([take for row in rows for take in source.windows(row)], most)
    network = learner.network
    was_training = network.training
    network.eval()
    mine = _said(learner, source, batches[ranks.number :: ranks.count], device)
    network.train(was_training)
    return _by_row([each for part in ranks.gather(mine) for each in part], len(rows))


@torch.inference_mode()
def _said(
    learner: Learner, source: Source, batches: Sequence[Sequence[Take]], device: torch.device
) -> Said:
    said: Said = []
    with ThreadPoolExecutor(AHEAD) as pool:
        # Read ahead by as much as a batch of threads can; a batch holds seconds, so this is little.
        reading = [[pool.submit(source.read, take) for take in batch] for batch in batches[:AHEAD]]
        for number, batch in enumerate(batches):
            if number + AHEAD < len(batches):
                later = batches[number + AHEAD]
                reading.append([pool.submit(source.read, take) for take in later])
            examples = [future.result() for future in reading[number]]
            reading[number] = []
            inputs = {name: each.to(device) for name, each in learner.inputs(examples).items()}
            found = learner.goal.results(learner.logits(learner.network, inputs))
            said += zip(batch, found, strict=True)
    return said


def _by_row(said: Said, rows: int) -> NDArray[np.float64]:
    windows: list[list[tuple[int, WindowScore[Any]]]] = [[] for _ in range(rows)]
    for take, result in said:
        windows[take.row].append((take.first, WindowScore(float(take.length), result)))
    return np.stack(
        [
            mean_by_duration([window for _, window in sorted(each, key=lambda pair: pair[0])])
            for each in windows
        ]
    )
