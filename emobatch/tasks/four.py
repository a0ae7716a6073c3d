"""The four classes that IEMOCAP is usually reduced to."""

from emobatch.tasks.task import Task

FOUR = Task.of(("angry", "happy", "neutral", "sad"))
