"""Measures: each a kind of figure, in a file of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emobatch.registry import Registry

if TYPE_CHECKING:
    from emobatch.evaluation.measure import Measure

# In the order in which their figures are listed. A new measure is a file and a line here.
MEASURES: Registry[type[Measure]] = Registry(
    "measure",
    {
        "counts": "emobatch.evaluation.measures.counts:Counts",
        "decided": "emobatch.evaluation.measures.decided:Decided",
        "wer": "emobatch.evaluation.measures.word_errors:WordErrors",
        "cer": "emobatch.evaluation.measures.word_errors:CharacterErrors",
        "headline": "emobatch.evaluation.measures.headline:Headline",
        "classes": "emobatch.evaluation.measures.classes:Classes",
        "confusion": "emobatch.evaluation.measures.confusion:Confusion",
        "transitions": "emobatch.evaluation.measures.transitions:Transitions",
        "attributes": "emobatch.evaluation.measures.attributes:Attributes",
        "neutral": "emobatch.evaluation.measures.neutral:Neutral",
        "judge": "emobatch.evaluation.measures.judge:Judge",
        "judge_confidence": "emobatch.evaluation.measures.judge_confidence:JudgeConfidence",
        "paired_test": "emobatch.evaluation.measures.paired_test:PairedTest",
        "sentiment": "emobatch.evaluation.measures.sentiment:Sentiment",
        "text": "emobatch.evaluation.measures.text:Text",
        "auc": "emobatch.evaluation.measures.auc:Area",
        "calibration": "emobatch.evaluation.measures.calibration:Calibration",
        "risk_coverage": "emobatch.evaluation.measures.risk_coverage:RiskCoverage",
    },
)


def every_measure() -> list[Measure]:
    """All measures, in order.

    Examples:
        >>> [measure.name for measure in every_measure()][:2]
        ['counts', 'decided']
    """
    return [MEASURES[name]() for name in MEASURES]
