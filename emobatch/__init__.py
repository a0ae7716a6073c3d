"""Batch speech emotion recognition: a speech and a text branch, fused by methods that are fitted.

The packages in the order in which data passes through them; each imports only those before it:

- ``tasks``: the classes of a run, and how labels are spelled
- ``storage``: files that are elsewhere: their addresses, what may be fetched, and the cache
- ``tables``: reading and writing tables, ``--where``, uncertainty, and what is stored with a table
- ``manifests``: which clips there are, and their audio
- ``models``: checkpoints chosen, found, fetched, and put on a device
- ``scorers``: what each model adds to a row
- ``scoring``: the job: clips through the scorers into a score table, saved as it goes; ``verify``
- ``features``: acoustic features of clips, computed and not learnt, one set a file
- ``splits``: folds, splits, and what they leak
- ``evaluation``: figures of labelled rows, one measure a file
- ``training``: checkpoints of ``score``, fine-tuned on a manifest's rows
- ``fusion``: methods, fitted by ``calibrate`` and applied by ``apply``
- ``crossval``: methods fitted and tested in each fold
- ``judging``: a language model that reviews final emotions
- ``reporting``: one page of it all

Beside the path: ``registry`` (parts by name), ``errors``, ``wording`` (counts and durations),
``processes`` (of our own, and gone with whoever started them), ``doctor`` (tries a run before it
waits in a queue), ``planning`` (what a run would take, and jobs of it for a cluster), ``demo``
(speech and toy models of our own), ``api`` (what ``import emobatch`` gives: scoring and fusion on
frames) and ``cli`` (the command line: parses, calls one library function for each command, and
shows what came of it).

Words, each with one meaning:

- *clip*: a file, or a segment of one, that a row of a manifest names; *window*: up to 30 s of it
- *address*: where a file is that isn't on this machine, as ``s3://bucket/a.wav``
- *branch*: speech (hears the clip) or text (reads its transcript)
- *score table*: a row for each clip with what both branches say; *final table*: with the final
  emotions too
- *class*: what rows are sorted into; *label*: the class that a row is said to be of
- *stage*: before fusion (the speech branch's emotion) or after it, or after the judge (the final
  one)
- *attribute*: arousal, valence or dominance, as numbers; *embedding*: a model's hidden states for a
  clip or a text, pooled to one vector; *head*: what a model reads off its encoder; *feature*: a
  number that is computed of the sound
- *method*: a way of fusing both branches; *fitted* on labelled rows, it *decides* any rows
- *judge*: a language model that is asked about final emotions; *review*: what it says of a table's
  rows; *fused*: what fusion had said before it
- *limits*: a pair of thresholds of entropy and varentropy
- *flagged*: a row that a method asks the text branch about; a class without limits is *never
  flagged*
- *gated*: a row whose text branch was left out by ``score --gate``, for it could change nothing
- *control*: what a method gains with *text shuffled*, when each row has the text of another
- *mapping*: which class a sentiment stands for
- *base*: the checkpoint that a training begins with; *head*: what is laid over its encoder
- *split*: train, val or test; *fold*: one such division of all rows
- *run*: manifest, models and options that a table is scored with; *chunk*: rows that are scored and
  saved together; *stretch*: saved chunks that follow each other, in one file; *shard*: one job's
  part of a manifest
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emobatch.api.scorer import Scorer
    from emobatch.api.tables import apply, calibrate, evaluate
    from emobatch.errors import EmobatchError

__version__ = "0.1.0"
__all__ = ["EmobatchError", "Scorer", "apply", "calibrate", "evaluate"]

_HOMES = {
    "Scorer": "emobatch.api.scorer",
    **dict.fromkeys(("apply", "calibrate", "evaluate"), "emobatch.api.tables"),
    "EmobatchError": "emobatch.errors",
}


def __getattr__(name: str) -> object:
    # When they are asked for, so that the command line's help imports none of it.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
