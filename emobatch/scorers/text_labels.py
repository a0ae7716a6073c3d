"""What a text model's outputs stand for: sentiments, or else classes. Its labels alone say so."""

from __future__ import annotations

from emobatch.errors import LabelError
from emobatch.models.outputs import Outputs
from emobatch.scorers.scorer import Setup
from emobatch.tasks.labels import (
    DROPPED,
    MOST_LISTED,
    SENTIMENT_LABELS,
    LabelMap,
    Labels,
    mapped,
    parse_label_map,
    refuse_strays,
)
from emobatch.tasks.spellings import attribute_of

OPTION = "--text-label-map"
# Between fewer classes there is nothing to choose.
FEWEST_CLASSES = 2


def sentiment_outputs(setup: Setup) -> Outputs | None:
    """Map a text model's labels onto the three sentiments.

    Args:
        setup: options, checkpoints and classes.

    Returns:
        The sentiment of each output; None where they are no sentiments, or not all three.
    """
    return _outputs(setup, SENTIMENT_LABELS, len(SENTIMENT_LABELS.names))


def emotion_outputs(setup: Setup) -> Outputs | None:
    """Map a text model's labels onto the classes.

    Args:
        setup: options, checkpoints and classes.

    Returns:
        The class of each output; None where a label is neither a class nor dropped, or fewer
        than two classes are reached.
    """
    return _outputs(setup, setup.task.labels, FEWEST_CLASSES)


def unknown_labels(setup: Setup) -> LabelError:
    """Say that a text model's labels are neither sentiments nor classes.

    Args:
        setup: options, checkpoints and classes.

    Returns:
        An error to be raised: the labels, and how to name them.
    """
    checkpoint, classes = setup.found["text"], setup.task.classes
    labels = checkpoint.labels()
    listed = ", ".join(labels[:MOST_LISTED]) + (", …" if len(labels) > MOST_LISTED else "")
    sentiments = SENTIMENT_LABELS.names
    return LabelError(
        f"{checkpoint.name}: the text model's labels ({listed}) are neither the sentiments "
        f"{', '.join(sentiments)} nor classes; name them as sentiments with "
        f"{OPTION} {labels[0]}={sentiments[0]},…, or as classes with "
        f"{OPTION} {labels[0]}={classes[0]},…, where {labels[-1]}={DROPPED} drops one"
    )


def text_label_map(setup: Setup) -> LabelMap:
    """Read ``--text-label-map`` as what the model's labels stand for.

    Args:
        setup: options, checkpoints and classes.

    Returns:
        Sentiment or class by label, None where it is dropped.
    """
    labels = setup.task.labels if sentiment_outputs(setup) is None else SENTIMENT_LABELS
    return parse_label_map(setup.choice.text_label_map, labels)


def _outputs(setup: Setup, labels: Labels, fewest: int) -> Outputs | None:
    try:
        label_map = parse_label_map(setup.choice.text_label_map, labels)
    except LabelError:
        return None  # it names what the other kind has
    names = setup.found["text"].labels()
    refuse_strays(label_map, names, labels, "the text model", OPTION)
    # What is an attribute is neither.
    unread = {name.strip().lower(): None for name in names if attribute_of(name) is not None}
    targets = mapped(names, labels, {**unread, **label_map})
    if targets is None or len({name for name in targets if name is not None}) < fewest:
        return None
    places = [None if name is None else labels.names.index(name) for name in targets]
    return Outputs(places, len(labels.names))
