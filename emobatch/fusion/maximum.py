"""Late fusion by the surer branch: a baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emobatch.fusion.evidence import Floats
from emobatch.fusion.pooling import Pooling
from emobatch.fusion.unfitted import Unfitted


@dataclass(frozen=True)
class Maximum(Pooling, Unfitted):
    """Takes the class to which either branch gives the highest probability.

    Kittler, Hatef, Duin and Matas, *On Combining Classifiers* (1998), the max rule.

    Attributes:
        task: the classes.
    """

    name = "max"
    header = "Each class has the higher of the probabilities that the two branches give it."

    def pool(self, speech: Floats, text: Floats) -> Floats:
        """Take the higher probability of each class.

        Args:
            speech: (rows, known classes).
            text: (rows, known classes).

        Returns:
            (rows, known classes) between 0 and 1.

        Examples:
            >>> from emobatch.tasks.task import Task
            >>> method = Maximum(Task.of(["sad", "happy"]))
            >>> method.pool(np.array([[0.6, 0.4]]), np.array([[0.1, 0.9]])).tolist()
            [[0.6, 0.9]]
        """
        return np.maximum(speech, text)
