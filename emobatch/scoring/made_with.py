"""What a score table is made with, as is stored with it and held against the next run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from emobatch.models.choice import Choice
from emobatch.models.names import AUTO, NO_STEPS, WITH_MODEL
from emobatch.models.steps import parse_steps
from emobatch.scorers.plan import Plan
from emobatch.scorers.text_labels import text_label_map
from emobatch.scoring.gate import Gate
from emobatch.tables import provenance

if TYPE_CHECKING:
    from emobatch.models.devices import Device

# Options of attributes and embeddings, and what goes without saying.
BESIDE = {
    name: getattr(Choice, name)
    for name in (
        *("attribute_range", "embeddings", "layer", "pooling", "embedding_type"),
        "asr_embeddings",
    )
}


def models(plan: Plan) -> dict[str, dict[str, str | None]]:
    """Name the checkpoints of a run.

    Args:
        plan: its scorers.

    Returns:
        ``name``, ``revision``, and digests of the weights and of what else decides, by branch.
    """
    return {branch: found.provenance() for branch, found in plan.setup.found.items()}


def trained(plan: Plan) -> dict[str, dict[str, Any]]:
    """Say how checkpoints were made that `emobatch train` made.

    Args:
        plan: its scorers.

    Returns:
        By branch what stands in the checkpoint's folder; nothing for those that others made.
    """
    said = {branch: found.training() for branch, found in plan.setup.found.items()}
    return {branch: dict(record) for branch, record in said.items() if record}


def chosen(choice: Choice, gate: Gate | None) -> dict[str, Any]:
    """Say what a run is made with, as far as that is known without its models and its device.

    Args:
        choice: models and options.
        gate: by which rows' text is left out, None for none.

    Returns:
        Versions of the software, names of the models, and options.
    """
    options = {
        "precision": choice.precision,
        "language": choice.language,
        # As None where it goes without saying, and was so before there was a choice.
        "transcript_language": _unless(choice.transcript_language, choice.language),
        "speech": _unless(choice.speech, WITH_MODEL),
        "text": _unless(choice.text, WITH_MODEL),
        "prosody": choice.prosody or None,
        "beam_size": choice.beam_size,
        "asr_context": choice.asr_context,
        "clean": ",".join(parse_steps(choice.clean)) or NO_STEPS,
        # As the user chose it: what is free on the device may differ when a run goes on.
        "batch_seconds": choice.batch_seconds,
        "gate": None if gate is None else gate.digest,
        **{name: _unless(getattr(choice, name), usual) for name, usual in BESIDE.items()},
    }
    return {
        "software": provenance.software(provenance.SCORING_PACKAGES),
        "models": {branch: {"name": name} for branch, name in choice.names().items()},
        "options": options,
    }


def planned(plan: Plan, gate: Gate | None, found: Mapping[str, Any]) -> dict[str, Any]:
    """Say what a run is made with, as far as that is known before there is a device.

    Args:
        plan: its scorers.
        gate: by which rows' text was left out, None for none.
        found: what :func:`models` says of its checkpoints, whose weights are read only once.

    Returns:
        Versions of the software, models, classes and options.
    """
    choice = plan.setup.choice
    known = chosen(choice, gate)
    options = {
        **known["options"],
        **({} if choice.device == AUTO else {"device": choice.device}),
        "label_map": dict(choice.speech_label_map(plan.task)),
        "text_label_map": dict(text_label_map(plan.setup)) if plan.text else {},
    }
    return {**known, "models": found, "task": plan.task.as_dict(), "options": options}


def made_with(
    plan: Plan, device: Device, gate: Gate | None, found: Mapping[str, Any]
) -> dict[str, Any]:
    """Say what a run is made with, which decides what comes out.

    Args:
        plan: its scorers.
        device: where models run.
        gate: by which rows' text was left out, None for none.
        found: what :func:`models` says of its checkpoints.

    Returns:
        Versions of the software, models, classes and options.
    """
    known = planned(plan, gate, found)
    options = {
        **known["options"],
        "device": device.name,
        "asr_device": device.ctranslate2,
        "speech_type": str(device.dtype).removeprefix("torch."),
        "asr_type": device.compute_type,
        "chunk_rows": device.chunk_rows,
    }
    return {**known, "options": options}


def _unless(value: Any, usual: Any) -> Any:
    return None if value == usual else value
