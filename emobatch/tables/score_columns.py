"""The columns of a score table, and of a final table."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from emobatch.tables.judged import is_judged
from emobatch.tasks import choose
from emobatch.tasks.spellings import ATTRIBUTES, SENTIMENTS

# Columns that hold numbers, beside those of classes and attributes.
NUMBERS = (
    *("duration", "entropy", "varentropy", "sentiment_score", "text_score"),
    *("asr_logprob", "asr_no_speech", "asr_compression"),
)
# How a clip is said: of a table that has them all, for a manifest may have some of that name.
PROSODY = (
    *("pitch_median", "pitch_range", "loudness", "loudness_range"),
    *("voiced", "speaking_rate", "pause_share"),
)
# What the text branch says of a row, by the kind of its model.
SENTIMENT_COLUMNS = ("sentiment", "sentiment_score")
TEXT_EMOTION_COLUMNS = ("text_emotion", "text_score")
# What methods add to a score table.
DECISION_COLUMNS = ("flagged", "mapped_emotion", "emotion", "decided_by")
# Before the names of classes: the probabilities that some methods add.
FINAL = "final_"


def number_columns(names: Sequence[str]) -> list[str]:
    """Say which columns of a score table hold numbers.

    Args:
        names: of all its columns.

    Returns:
        Those of them that do.

    Examples:
        >>> number_columns(["id", "speech_calm", "text_calm", "text_of_page"])
        ['speech_calm', 'text_calm']
    """
    classes = choose.classes_of(names)
    known = {
        *NUMBERS,
        *(f"speech_{name}" for name in (*classes, *ATTRIBUTES)),
        *(f"text_{name}" for name in (*classes, *SENTIMENTS, *ATTRIBUTES)),
        # Those of a final table: a manifest may have anything of that name.
        *(f"{FINAL}{name}" for name in classes if "decided_by" in names),
        *(PROSODY if set(PROSODY) <= set(names) else ()),
        *(("judge_confidence",) if is_judged(names) else ()),
    }
    return [name for name in names if name in known]


def text_columns(names: Collection[str]) -> tuple[str, str]:
    """Say which columns hold what the text branch says.

    Args:
        names: of a score table's columns.

    Returns:
        The column of its emotion or sentiment, and that of the probability of this.
    """
    return TEXT_EMOTION_COLUMNS if "text_emotion" in names else SENTIMENT_COLUMNS
