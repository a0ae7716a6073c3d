"""The eight classes of MSP-Podcast, in the order of its challenge's baseline."""

from emobatch.tasks.task import Task

EIGHT = Task.of(("angry", "sad", "happy", "surprise", "fear", "disgust", "contempt", "neutral"))
