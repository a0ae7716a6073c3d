"""Cleaning steps, as they are named on the command line."""

from __future__ import annotations

from emobatch.errors import EmobatchError
from emobatch.models.names import CLEANING_STEPS, NO_STEPS


def parse_steps(text: str) -> tuple[str, ...]:
    """Read the value of ``--clean``.

    Args:
        text: names of steps separated by commas, or ``none``.

    Returns:
        The steps in the order given.

    Raises:
        EmobatchError: if a step is unknown.

    Examples:
        >>> parse_steps("punctuation,lowercase")
        ('punctuation', 'lowercase')
    """
    steps = tuple(step.strip() for step in text.split(","))
    if steps == (NO_STEPS,):
        return ()
    unknown = [step for step in steps if step not in CLEANING_STEPS]
    if unknown:
        raise EmobatchError(
            f"--clean: no step {unknown[0]!r}; give some of {','.join(CLEANING_STEPS)}, "
            f"or {NO_STEPS}"
        )
    return steps
