"""How far a review is."""

from __future__ import annotations

from typing import Protocol

from emobatch.scoring import progress


class Progress(progress.Progress, Protocol):
    """Is told how far a review is, and what was spent."""

    def spend(self, tokens: int) -> None:
        """More is spent.

        Args:
            tokens: so far, of prompts and answers.
        """


class Silent(progress.Silent):
    """Tells nobody."""

    def spend(self, tokens: int) -> None:
        """Hear of tokens."""
