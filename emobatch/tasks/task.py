"""A task: the classes of a run, and what sentiments and spellings stand for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from emobatch.errors import TaskError
from emobatch.tasks.labels import DROPPED, Labels
from emobatch.tasks.spellings import ATTRIBUTES, EMOTIONS, SENTIMENTS, sentiment_of

FEWEST_CLASSES, MOST_CLASSES = 2, 64
# Columns `speech_NAME` and `text_NAME` that hold something other than a class's probability.
OTHER_COLUMNS = ("emotion", "embedding", "score", *ATTRIBUTES)


@dataclass(frozen=True)
class Task:
    """The classes that rows are sorted into.

    Attributes:
        classes: their names, in the order of the columns.
        sentiments: for each sentiment the classes that it can stand for, in the order of
            ``classes``.
    """

    classes: tuple[str, ...]
    sentiments: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, classes: Iterable[str]) -> Task:
        """Make a task of class names.

        Args:
            classes: 2 to 64 names; case and surrounding space make no difference.

        Returns:
            The task; a class of a known emotion stands for that emotion's sentiment.

        Raises:
            TaskError: if there are too few or too many, or a name can't be one.

        Examples:
            >>> Task.of(["joy", "Fear", "calm"]).sentiments["positive"]
            ('joy',)
        """
        names = tuple(name.strip().lower() for name in classes)
        _check(names)
        sentiments = {
            sentiment: tuple(name for name in names if sentiment_of(name) == sentiment)
            for sentiment in SENTIMENTS
        }
        return cls(names, sentiments)

    @cached_property
    def labels(self) -> Labels:
        """The classes with their spellings."""
        return Labels(self.classes, _spellings(self.classes))

    @property
    def speech_columns(self) -> tuple[str, ...]:
        """Columns of the speech branch's probabilities."""
        return tuple(f"speech_{name}" for name in self.classes)

    @property
    def text_columns(self) -> tuple[str, ...]:
        """Columns of an emotion text model's probabilities."""
        return tuple(f"text_{name}" for name in self.classes)

    @property
    def sentiment_by_class(self) -> dict[str, str | None]:
        """The sentiment that each class stands for, None where it stands for none."""
        found = {name: sentiment for sentiment, names in self.sentiments.items() for name in names}
        return {name: found.get(name) for name in self.classes}

    def with_sentiments(self, pairs: Sequence[str]) -> Task:
        """Say of some classes which sentiment they stand for.

        Args:
            pairs: ``CLASS=SENTIMENT``, several to an item when separated by commas; ``none`` for
                a class that stands for none.

        Returns:
            The task; classes that aren't named keep their sentiment.

        Raises:
            TaskError: if a pair isn't of that form.

        Examples:
            >>> task = Task.of(["happy", "surprise", "sad"])
            >>> task.with_sentiments(["surprise=positive"]).sentiments["positive"]
            ('happy', 'surprise')
        """
        changed = self.sentiment_by_class
        for pair in (part.strip() for item in pairs for part in item.split(",")):
            name, equals, sentiment = (part.strip().lower() for part in pair.rpartition("="))
            name = self.labels.spellings.get(name, name)
            if not equals or name not in changed or sentiment not in (*SENTIMENTS, DROPPED):
                raise TaskError(
                    f"sentiment map: {pair!r} is not CLASS=SENTIMENT; CLASS is one of "
                    f"{', '.join(self.classes)}, SENTIMENT one of {', '.join(SENTIMENTS)} or "
                    f"{DROPPED}"
                )
            changed[name] = None if sentiment == DROPPED else sentiment
        return replace(self, sentiments=_grouped(changed))

    def as_dict(self) -> dict[str, Any]:
        """What is stored with a table."""
        return {"classes": list(self.classes), "sentiments": _lists(self.sentiments)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Task:
        """Read what :meth:`as_dict` gave.

        Args:
            stored: ``classes`` and maybe ``sentiments``.

        Returns:
            The task.

        Raises:
            TaskError: if it is nothing of the kind.

        Examples:
            >>> Task.from_dict(Task.of(["angry", "sad"]).as_dict()) == Task.of(["angry", "sad"])
            True
        """
        classes, sentiments = stored.get("classes"), stored.get("sentiments", {})
        if not isinstance(classes, list) or not _is_names(classes):
            raise TaskError(f"classes is {classes!r}; a list of names is wanted")
        task = cls.of(classes)
        if not isinstance(sentiments, Mapping) or not set(sentiments) <= set(SENTIMENTS):
            raise TaskError(
                f"sentiments is {sentiments!r}; lists of classes by sentiment are wanted"
            )
        by_class = dict.fromkeys(task.classes) if sentiments else task.sentiment_by_class
        for sentiment, names in sentiments.items():
            if not _is_names(names) or not set(names) <= set(task.classes):
                raise TaskError(f"{sentiment} is {names!r}; a list of the classes is wanted")
            by_class |= dict.fromkeys(names, sentiment)
        return replace(task, sentiments=_grouped(by_class))


def _check(names: Sequence[str]) -> None:
    if not FEWEST_CLASSES <= len(names) <= MOST_CLASSES:
        raise TaskError(
            f"{len(names)} classes; name {FEWEST_CLASSES} to {MOST_CLASSES}, separated by commas"
        )
    for place, name in enumerate(names):
        if not name or not name.isprintable():
            raise TaskError(f"class {place + 1} is {name!r}, which is no name; give it one")
        if name in (*OTHER_COLUMNS, DROPPED):
            raise TaskError(f"a class can't be called {name!r}, which means something else here")
        if name in names[:place]:
            raise TaskError(f"class {name!r} is named twice (case makes no difference)")


def _spellings(classes: Sequence[str]) -> dict[str, str]:
    # A spelling stands for a class only where no other class is of the same emotion.
    emotions = [EMOTIONS.get(name, name) for name in classes]
    alone = {
        emotion: name
        for emotion, name in zip(emotions, classes, strict=True)
        if emotions.count(emotion) == 1
    }
    known = {spelling: alone[emotion] for spelling, emotion in EMOTIONS.items() if emotion in alone}
    return known | {name: name for name in classes}


def _grouped(by_class: Mapping[str, str | None]) -> dict[str, tuple[str, ...]]:
    return {
        sentiment: tuple(name for name, mine in by_class.items() if mine == sentiment)
        for sentiment in SENTIMENTS
    }


def _lists(sentiments: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    return {sentiment: list(names) for sentiment, names in sentiments.items()}


def _is_names(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(name, str) for name in value)
