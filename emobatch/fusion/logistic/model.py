"""What logistic fusion has fitted, and how rows are scored by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emobatch.fusion.evidence import Floats, known
from emobatch.fusion.logistic.centring import Speakers
from emobatch.fusion.logistic.regression import Regression, softmax

# By what is taken away from the speech branch's log-probabilities.
UNCENTRED, CENTRED, BY_COMPOSITION = "uncentred", "centred", "by-composition"


@dataclass(frozen=True)
class Pair:
    """Two regressions on the same rows.

    Attributes:
        both: on log-probabilities of both branches; None where no row had text.
        speech: on those of the speech branch, for rows without text.
    """

    both: Regression | None
    speech: Regression

    def logits(self, heard: Floats, said: Floats) -> Floats:
        """Score rows, each by the regression for what is known of it.

        Args:
            heard: (rows, classes) of the speech branch, in nats.
            said: (rows, answers) of the text branch, in nats; NaN in a row without text.

        Returns:
            (rows, classes); NaN in a row without speech scores.
        """
        if self.both is None:
            return self.speech.logits(heard)
        told = known(said)
        if told.all():
            return self.both.logits(np.hstack([heard, said]))
        found = self.speech.logits(heard)
        found[told] = self.both.logits(np.hstack([heard[told], said[told]]))
        return found

    def posteriors(self, heard: Floats, said: Floats) -> Floats:
        """Probabilities of the classes.

        Args:
            heard: see :meth:`logits`.
            said: see :meth:`logits`.

        Returns:
            (rows, classes), each row sums to 1 or is NaN.
        """
        return softmax(self.logits(heard, said))


@dataclass(frozen=True)
class Model:
    """All that was fitted.

    Attributes:
        pairs: regressions by what is taken away: ``uncentred``, and with centring ``centred`` and
            ``by-composition`` as well.
        usual: (classes,) mean of the labelled speakers' means, in nats.
        class_means: (classes, classes) mean of each class's rows, in nats.
        temperature: logits are divided by it, for probabilities.
        margin: the text branch is asked about rows of at most this :meth:`margins`; None where it
            is asked about all.
    """

    pairs: Mapping[str, Pair]
    usual: Floats
    class_means: Floats
    temperature: float = 1.0
    margin: float | None = None

    @property
    def is_centred(self) -> bool:
        """Whether speakers' means are taken away."""
        return CENTRED in self.pairs

    def margins(self, heard: Floats) -> Floats:
        """How sure the speech branch is of rows, of whose speakers nothing else is known.

        The usual mean is taken away from all rows alike, so that each can be judged as it is heard.

        Args:
            heard: (rows, classes) log-probabilities of the speech branch, in nats.

        Returns:
            (rows,) by how much the likeliest class is more probable than the next, 0 to 1, by the
            regression for rows without text; NaN in a row without speech scores.
        """
        pair = self.pairs[CENTRED if self.is_centred else UNCENTRED]
        ordered = np.sort(pair.speech.posteriors(heard - self.usual), axis=1)
        return np.asarray(ordered[:, -1] - ordered[:, -2])

    def is_asked(self, heard: Floats) -> NDArray[np.bool_]:
        """Say about which rows the text branch is asked.

        Args:
            heard: (rows, classes) of the speech branch, in nats.

        Returns:
            (rows,) bools, false in a row without speech scores.
        """
        if self.margin is None:
            return known(heard)
        return np.asarray(self.margins(heard) <= self.margin)

    def features(self, heard: Floats, said: Floats, speakers: Speakers) -> tuple[Floats, Floats]:
        """Take speakers' means away, in both ways.

        Args:
            heard: (rows, classes) in nats.
            said: (rows, answers) in nats.
            speakers: of these rows.

        Returns:
            (rows, classes) centred, and (rows, classes) centred by composition.
        """
        shares = speakers.means(self.pairs[UNCENTRED].posteriors(heard, said))
        return (
            speakers.centred(heard, self.usual),
            speakers.centred_by_composition(heard, self.usual, self.class_means, shares),
        )

    def logits(
        self, heard: Floats, said: Floats, speakers: Speakers | None
    ) -> tuple[Floats, NDArray[np.bool_]]:
        """Score rows.

        Args:
            heard: (rows, classes) of the speech branch, in nats.
            said: (rows, answers) of the text branch, in nats; NaN in a row without text.
            speakers: of these rows; None without centring.

        Returns:
            (rows, classes), and (speakers,) whether its rows are of few classes.
        """
        if self.margin is not None:
            said = np.where(self.is_asked(heard)[:, None], said, np.nan)
        if speakers is None or not self.is_centred:
            return self.pairs[UNCENTRED].logits(heard, said), np.zeros(0, bool)
        centred, by_composition = self.features(heard, said, speakers)
        guarded = self.pairs[BY_COMPOSITION]
        few = speakers.has_few_classes(guarded.posteriors(by_composition, said))
        logits = self.pairs[CENTRED].logits(centred, said)
        mine = few[speakers.number]
        logits[mine] = guarded.logits(by_composition[mine], said[mine])
        return logits, few
