"""Rows as a model is given them, and the model: for either branch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from emobatch.errors import AudioError
from emobatch.manifests.clips import clips
from emobatch.manifests.manifest import Manifest
from emobatch.models.checkpoints import Checkpoint
from emobatch.splits.roles import TRAIN, VAL
from emobatch.training import storing
from emobatch.training.cache import Cache
from emobatch.training.learner import Learner
from emobatch.training.options import Options
from emobatch.training.ranks import Ranks
from emobatch.training.rows import Chosen
from emobatch.training.source import Source
from emobatch.training.work import Work


@dataclass(frozen=True)
class Prepared:
    """What a training begins with.

    Attributes:
        chosen: rows that can be read.
        train: examples of those that are trained on.
        val: of those that validate.
        learner: the model.
        failed: what is wrong with rows that are left out, by id.
    """

    chosen: Chosen
    train: Source
    val: Source
    learner: Learner
    failed: Mapping[str, str] = field(default_factory=dict)


def sounds(
    chosen: Chosen,
    read: Manifest,
    base: Checkpoint,
    options: Options,
    cache: Cache | None,
    work: Work,
    ranks: Ranks,
    check: Callable[[], None],
) -> Prepared:
    """Decode all clips, in the first process, unless an earlier run has, and load the base.

    Args:
        chosen: rows.
        read: their manifest.
        base: a speech checkpoint.
        options: of the user.
        cache: of decoded audio, None for none.
        work: where it is saved what was found.
        ranks: processes.
        check: called between clips; raises where the run is to end.

    Returns:
        What there is to train.

    Raises:
        AudioError: if no clip can be read.
        OptionError: if crops are too short for the base.
    """
    from emobatch.training.sounds import Sounds, Survey, survey
    from emobatch.training.speech import SpeechLearner, fewest_of

    fewest = fewest_of(base, options)
    both = pl.concat([chosen.train, chosen.val])
    heard = list(zip(both["id"], clips(both, read.root, confine=read.confine), strict=True))
    known = storing.read(work.survey) if ranks.is_first else None
    if ranks.is_first and known is None:
        known = survey(heard, len(chosen.train), fewest, cache, check).as_dict()
        storing.write(work.survey, known)
    found = Survey.of(ranks.share(known or {}))
    if len(found.errors) == len(heard):
        first = next(iter(found.errors.values()))
        raise AudioError(
            f"none of {len(heard)} files can be read, the first: {first}; look at --root and at "
            "the column path"
        )
    chosen = chosen.without(list(found.errors))
    chosen.check()
    lengths = np.array(found.lengths, np.int64)
    kept = [clip for (_, clip), length in zip(heard, lengths, strict=True) if length]
    lengths, count = lengths[lengths > 0], len(chosen.train)
    return Prepared(
        chosen,
        Sounds(kept[:count], lengths[:count], fewest, cache),
        Sounds(kept[count:], lengths[count:], fewest, cache),
        SpeechLearner(base, chosen.goal, options, found.scale),
        found.errors,
    )


def texts(chosen: Chosen, base: Checkpoint, options: Options) -> Prepared:
    """Load a base, and cut texts into its tokens.

    Args:
        chosen: rows with a column ``text``.
        base: a text checkpoint.
        options: of the user.

    Returns:
        What there is to train.
    """
    from emobatch.training.text import TextLearner
    from emobatch.training.texts import Texts

    learner = TextLearner(base, chosen.goal, options)
    train, val = (
        Texts(learner.tokens(chosen.of(split)["text"].to_list())) for split in (TRAIN, VAL)
    )
    return Prepared(chosen, train, val, learner)
