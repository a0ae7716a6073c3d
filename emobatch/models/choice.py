"""What a user chooses of models and options."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from sys import float_info

from emobatch.errors import CheckpointError, HubUnreachable, OptionError
from emobatch.manifests.decoders import PATIENCE
from emobatch.models import checkpoints, hub, languages, remote, sides, wanted
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.names import (
    AUTO,
    CLEANING_STEPS,
    EMBEDDING_TYPES,
    FULL_CONTEXT,
    LONGEST_WAIT,
    MEAN,
    MODEL_SETS,
    MOST_SECONDS,
    PUBLISHED,
    WITH_MODEL,
)
from emobatch.models.remote import Remote
from emobatch.models.scale import Scale
from emobatch.models.steps import parse_steps
from emobatch.tasks import choose
from emobatch.tasks.labels import LEVEL_LABELS, LabelMap, Labels, parse_label_map
from emobatch.tasks.spellings import SENTIMENT_SPELLINGS, SENTIMENTS, attribute_of
from emobatch.tasks.task import Task


@dataclass(frozen=True)
class Choice:
    """What the user chose of models and options.

    Attributes:
        models: the set that models which aren't named come from.
        speech_model: hub name or folder.
        emotional_model: hub name or folder of the second of two speech models; None for one.
        asr_model: hub name, size or folder.
        text_model: hub name or folder.
        attribute_model: hub names or folders of speech models of attributes, each of others.
        text_attribute_model: the same of text models.
        attribute_range: ``LOW:HIGH`` of the scale that a model's 0 and 1 stand for; None leaves
            attributes as their models have them.
        embeddings: whether pooled hidden states of both encoders are wanted.
        layer: of them, as transformers counts hidden states; None for the last.
        pooling: one of :data:`emobatch.models.names.POOLINGS`.
        embedding_type: one of :data:`emobatch.models.names.EMBEDDING_TYPES`.
        asr_embeddings: whether those of the recogniser's encoder are wanted, too.
        classes: as for :func:`emobatch.tasks.choose.named`, or the task itself.
        sentiment_map: ``CLASS=SENTIMENT`` pairs: what classes stand for.
        device: ``auto``, or one of :data:`emobatch.models.names.DEVICES`.
        speech: ``none`` leaves the speech branch out.
        text: ``none`` leaves the text branch out: neither recognition nor a text model.
        language: two-letter code, or ``auto``.
        transcript_language: code of the transcripts that a manifest gives; None for ``language``.
        beam_size: of the recogniser, 1 is greedy.
        asr_context: one of :data:`emobatch.models.names.ASR_CONTEXTS`.
        precision: see :func:`emobatch.models.devices.choose`.
        clean: cleaning steps as written on the command line.
        label_map: ``NAME=CLASS`` pairs for the speech model's labels; of two, for the first one's.
        text_label_map: ``NAME=SENTIMENT`` or ``NAME=CLASS`` pairs for the text model's.
        batch_seconds: padded audio to a batch, in seconds; None leaves it to the device.
        decode_timeout: seconds to wait for more of a file before its row fails.
        max_seconds: seconds of audio that may be decoded of a file before its row fails.
        prosody: measure how each clip is said.
        offline: look only at what is on this machine.
    """

    models: str = PUBLISHED
    speech_model: str | None = None
    emotional_model: str | None = None
    asr_model: str | None = None
    text_model: str | None = None
    attribute_model: tuple[str, ...] = ()
    text_attribute_model: tuple[str, ...] = ()
    attribute_range: str | None = None
    embeddings: bool = False
    layer: int | None = None
    pooling: str = MEAN
    embedding_type: str = EMBEDDING_TYPES[0]
    asr_embeddings: bool = False
    classes: str | Task = choose.DEFAULT
    sentiment_map: tuple[str, ...] = ()
    device: str = AUTO
    speech: str = WITH_MODEL
    text: str = WITH_MODEL
    language: str = "en"
    transcript_language: str | None = None
    beam_size: int = 1
    asr_context: str = FULL_CONTEXT
    precision: str = AUTO
    clean: str = ",".join(CLEANING_STEPS)
    label_map: tuple[str, ...] = ()
    text_label_map: tuple[str, ...] = ()
    batch_seconds: float | None = None
    decode_timeout: float = PATIENCE
    max_seconds: float = MOST_SECONDS
    prosody: bool = False
    offline: bool = False

    def __post_init__(self) -> None:
        """Refuse options that make no sense, before anything slow begins.

        Raises:
            EmobatchError: names the option.
        """
        parse_steps(self.clean)
        sides.refuse_contradictions(vars(self))
        if self.attribute_range is not None:
            Scale.parse(self.attribute_range)
        if self.classes != choose.CHECKPOINT:
            task = self.task({})
            if self.emotional_model is not None:
                sides.neutral_of(task)
            self.speech_label_map(task)
            either = tuple(dict.fromkeys((*SENTIMENTS, *task.classes)))
            spellings = {**task.labels.spellings, **SENTIMENT_SPELLINGS}
            parse_label_map(self.text_label_map, Labels(either, spellings))
        for option, seconds, most in (
            ("--batch-seconds", self.batch_seconds, float_info.max),
            ("--decode-timeout", self.decode_timeout, LONGEST_WAIT),
            ("--max-seconds", self.max_seconds, float_info.max),
        ):
            if seconds is not None and not 0 < seconds <= most:
                upper = f" and at most {most:.0f}" if most < float_info.max else ""
                raise OptionError(f"{option} {seconds:g}: give a number above 0{upper}")
        languages.check(self.language)

    def task(self, found: Mapping[str, Checkpoint | None]) -> Task:
        """Say what the classes are.

        Args:
            found: checkpoints by branch; asked for the speech model's labels where it is these
                that the classes are taken from.

        Returns:
            The classes, and the sentiments that they stand for.

        Raises:
            TaskError: if the labels make no classes, or the sentiments aren't of them.
            CheckpointError: if the speech model is needed and not there.
        """

        def checkpoint_labels() -> list[str]:
            speech = found.get("speech")
            if speech is None:
                raise self.missing(["speech"])
            return [label for label in speech.labels() if attribute_of(label) is None]

        if isinstance(self.classes, Task):
            task = self.classes
        else:
            task = choose.named(self.classes, checkpoint_labels)
        return task.with_sentiments(self.sentiment_map)

    def speech_label_map(self, task: Task) -> LabelMap:
        """Read ``--label-map``.

        Args:
            task: the classes.

        Returns:
            What a label of the speech model stands for: a class, or of two models a level.

        Raises:
            LabelError: if an entry isn't of that form or names something else.
        """
        labels = task.labels if self.emotional_model is None else LEVEL_LABELS
        return parse_label_map(self.label_map, labels)

    @property
    def scale(self) -> Scale | None:
        """What attributes are mapped onto, None to leave them as they are."""
        return None if self.attribute_range is None else Scale.parse(self.attribute_range)

    @property
    def sides_left_out(self) -> tuple[str, ...]:
        """Those of ``speech`` and ``text`` that the run does without."""
        return sides.left_out(vars(self))

    @property
    def given_language(self) -> str | None:
        """Code of the transcripts that a manifest gives, None where nothing says it."""
        if self.transcript_language is not None:
            return self.transcript_language
        return None if self.language == AUTO else self.language

    def names(self) -> dict[str, str]:
        """What its checkpoints are called, by :data:`branch <emobatch.models.names.BRANCHES>`."""
        defaults = MODEL_SETS[self.models]
        return {
            branch: defaults[branch] if name is None else name
            for branch, name in wanted.named(vars(self)).items()
        }

    def look_up(self) -> dict[str, Checkpoint | None]:
        """Find all checkpoints on this machine; never asks the hub.

        Returns:
            Checkpoint by branch, None where the hub may have it.

        Raises:
            CheckpointError: if a name is none, or a checkpoint is in another format.
        """
        return {branch: checkpoints.find(name, branch) for branch, name in self.names().items()}

    def find_checkpoints(self) -> dict[str, Checkpoint]:
        """Find all checkpoints, fetching them if need be, before any is loaded.

        Returns:
            Checkpoint by branch, see :meth:`names`.

        Raises:
            CheckpointError: if one can't be had.
        """
        here = self.look_up()
        return remote.fetch(here, self.ask_hub(here))

    def ask_hub(self, found: Mapping[str, Checkpoint | None]) -> dict[str, Remote]:
        """Ask the hub for the checkpoints that aren't on this machine; fetches none.

        Args:
            found: see :meth:`look_up`.

        Returns:
            What is to be fetched, by branch.

        Raises:
            CheckpointError: if one can't be had, or the hub must not be asked.
        """
        missing = [branch for branch, checkpoint in found.items() if checkpoint is None]
        if missing and (self.offline or hub.is_offline()):
            raise self.missing(missing)
        names = self.names()
        try:
            return {branch: remote.ask(names[branch], branch) for branch in missing}
        except HubUnreachable as error:
            raise HubUnreachable(f"{error}; {wanted.remedy(vars(self))}") from error

    def missing(self, branches: Collection[str]) -> CheckpointError:
        """Say that checkpoints are not on this machine.

        Args:
            branches: whose checkpoint isn't.

        Returns:
            An error to be raised: which are missing, and how to fetch them.
        """
        names = ", ".join(self.names()[branch] for branch in branches)
        forbidden = not self.offline and hub.is_offline()
        why = f", and {hub.OFFLINE_SETTING} is set" if forbidden else ""
        return CheckpointError(f"{names}: not on this machine{why}; {wanted.remedy(vars(self))}")
