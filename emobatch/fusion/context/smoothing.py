"""Forward-backward over chains, with one chance that the class stays as it is.

The chain's transitions are ``A = rho I + (1 - rho) / K`` from a uniform start, its emissions the
rows' posteriors (Rabiner 1989, section III).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from emobatch.fusion.context.chains import Chains
from emobatch.fusion.evidence import Floats

# Log-likelihoods are summed as whole multiples of 1 / UNITS.
UNITS = 2.0**26
# Tried for the chance that fits a batch best.
CHANCES = tuple(round(0.05 * step, 2) for step in range(20))


def smoothed(posteriors: Floats, chains: Chains, rho: float) -> Floats:
    """Posteriors of each row given all rows of its chain.

    Args:
        posteriors: (rows, classes); NaN throughout a row that nothing is known of, which then goes
            by its neighbours.
        chains: of these rows.
        rho: chance, 0 to 1, that a row keeps the class before it for more than chance.

    Returns:
        (rows, classes), each row sums to 1; rows in no chain are as they were.

    Examples:
        >>> posteriors = np.array([[0.9, 0.1], [0.4, 0.6], [0.9, 0.1]])
        >>> chains = Chains.of(np.zeros(3, int), np.arange(3.0))
        >>> smoothed(posteriors, chains, 0.9).argmax(axis=1).tolist()
        [0, 0, 0]
    """
    found = posteriors.copy()
    emissions, steps = _emissions(posteriors), chains.steps()
    forward = [state[:, 0].T for state, _ in _forward(emissions, steps, np.array([rho]))]
    backward = np.empty((0, posteriors.shape[1]))
    for rows, state in zip(reversed(steps), reversed(forward), strict=True):
        # Chains that end here have nothing behind them.
        ahead = np.ones((len(rows), posteriors.shape[1]))
        moved = rho * backward + (1 - rho) * backward.mean(axis=1, keepdims=True)
        ahead[: len(backward)] = moved / moved.sum(axis=1, keepdims=True)
        joint = state * ahead
        found[rows] = joint / joint.sum(axis=1, keepdims=True)
        backward = ahead * emissions[rows]
    return found


def likeliest_chance(posteriors: Floats, chains: Chains) -> float:
    """Find the chance under which a batch of rows is likeliest; of equals the lowest.

    Args:
        posteriors: (rows, classes).
        chains: of these rows.

    Returns:
        One of 0, 0.05 … 0.95; 0 where no chain has two rows.
    """
    # Rounded, so that rows in another order give the same sum.
    likelihoods = np.zeros(len(CHANCES))
    for _, logs in _forward(_emissions(posteriors), chains.steps(), np.array(CHANCES)):
        likelihoods += np.rint(logs * UNITS).sum(axis=1)
    return CHANCES[int(likelihoods.argmax())]


def chance_of_labels(labels: NDArray[np.intp], chains: Chains, classes: int) -> float:
    """Chance that neighbours share a label, beyond what chance alone gives.

    ``(d - 1/K) / (1 - 1/K)``, with d the mean diagonal of the row-normalised counts of label pairs,
    one added to each.

    Args:
        labels: (rows,) numbers of classes, -1 where unlabelled.
        chains: of these rows.
        classes: K, how many there are.

    Returns:
        At most 1; 0 where neighbours share no more labels than chance gives.
    """
    before, after = (labels[rows] for rows in chains.pairs)
    both = (before >= 0) & (after >= 0)
    counts = np.ones((classes, classes))
    np.add.at(counts, (before[both], after[both]), 1)
    same = (counts / counts.sum(axis=1, keepdims=True)).diagonal().mean()
    return max(0.0, float((same - 1 / classes) / (1 - 1 / classes)))


def _emissions(posteriors: Floats) -> Floats:
    # A row that nothing is known of speaks for each class alike.
    return np.where(np.isfinite(posteriors), posteriors, 1.0)


def _forward(
    emissions: Floats, steps: Sequence[NDArray[np.intp]], chances: Floats
) -> Iterator[tuple[Floats, Floats]]:
    # For each step (classes, chances, chains) scaled states, and (chances, chains) log-likelihoods.
    # The long axis stands last: every pass is then over neighbours in memory.
    rho = chances[:, None]
    columns = np.ascontiguousarray(emissions.T)
    state = np.empty((len(columns), len(chances), 0))
    for number, rows in enumerate(steps):
        if number:
            state = rho * state[..., : len(rows)]
            state += (1 - rho) / len(columns)
        else:
            state = np.full((len(columns), len(chances), len(rows)), 1 / len(columns))
        state *= columns[:, rows][:, None]
        total = state.sum(axis=0)
        state /= total
        yield state, np.log(total)
