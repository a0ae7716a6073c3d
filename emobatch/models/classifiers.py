"""What the speech and the text model share: loading a classifier, and its probabilities.

Nothing that a checkpoint carries is run: remote code is off, safetensors come first, and pickles
are opened for their weights only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoConfig

from emobatch.errors import CheckpointError
from emobatch.models import hub
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.devices import Device
from emobatch.models.outputs import Outputs

# Parameters that only training uses: a checkpoint may lack them.
UNUSED_PARAMETERS = ("masked_spec_embed",)


class Classifier:
    """A checkpoint with a classification head whose outputs stand for known classes.

    Attributes:
        model: in evaluation mode, on the device.
        processor: makes the model's inputs: feature extractor or tokenizer.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: Device,
        kind: tuple[Any, Any],
        outputs: Outputs,
    ) -> None:
        """Load the checkpoint.

        Args:
            checkpoint: its files.
            device: where to run it.
            kind: the Auto classes of the model and of its processor.
            outputs: what its outputs stand for.

        Raises:
            CheckpointError: if it can't be loaded, is of another kind, or was never trained.
        """
        auto_model, auto_processor = kind
        self._device = device
        self._outputs = outputs
        with checkpoint.explained(), hub.closed():
            config = _read_config(checkpoint, auto_model)
            self.processor = auto_processor.from_pretrained(
                checkpoint.folder, trust_remote_code=False, local_files_only=True
            )
            self.model, report = auto_model.from_pretrained(
                checkpoint.folder,
                config=config,
                dtype=device.dtype,
                trust_remote_code=False,
                weights_only=True,
                local_files_only=True,
                output_loading_info=True,
            )
        _check_trained(checkpoint, report)
        self.model.eval().to(device.name)

    def logits(self, inputs: Any) -> torch.Tensor:
        """Run the model.

        Args:
            inputs: the processor's tensors, (rows, …).

        Returns:
            (rows, outputs) before the softmax.
        """
        inputs = inputs.to(self._device.name)
        for name, value in inputs.items():
            if value.is_floating_point():
                inputs[name] = value.to(self._device.dtype)
        logits: torch.Tensor = self.model(**inputs).logits
        return logits

    def probabilities(self, logits: torch.Tensor) -> NDArray[np.float64]:
        """Softmax over the outputs that stand for a class, summed by class.

        Args:
            logits: (rows, outputs).

        Returns:
            (rows, classes) in double precision; each row sums to one.
        """
        return class_probabilities(logits, self._outputs.classes, self._outputs.count)


def class_probabilities(
    logits: torch.Tensor, classes: Sequence[int | None], count: int
) -> NDArray[np.float64]:
    """Softmax over the outputs that stand for a class, summed by class.

    Args:
        logits: (rows, outputs).
        classes: (outputs,) index of the class of each output, None where it is dropped.
        count: number of classes.

    Returns:
        (rows, count) probabilities in double precision; each row sums to one.

    Examples:
        >>> class_probabilities(torch.tensor([[0.0, 9.0, 0.0]]), [1, None, 0], 2).tolist()
        [[0.5, 0.5]]
    """
    kept = [output for output, target in enumerate(classes) if target is not None]
    shares = logits[:, kept].double().softmax(dim=-1).cpu().numpy()
    probabilities = np.zeros((len(shares), count))
    for column, output in enumerate(kept):
        probabilities[:, classes[output]] += shares[:, column]
    return probabilities


def _read_config(checkpoint: Checkpoint, auto_model: Any) -> Any:
    config = AutoConfig.from_pretrained(
        checkpoint.folder, trust_remote_code=False, local_files_only=True
    )
    if type(config) not in auto_model._model_mapping:
        raise CheckpointError(
            f"{checkpoint.name}: a {config.model_type} checkpoint, which {auto_model.__name__} "
            f"doesn't load; give {checkpoint.option} one that it does"
        )
    # A checkpoint may name a repository of the hub whose code would compute its attention.
    config._attn_implementation = None
    return config


def _check_trained(checkpoint: Checkpoint, report: Mapping[str, Any]) -> None:
    missing = [key for key in report["missing_keys"] if not key.endswith(UNUSED_PARAMETERS)]
    missing += [str(key) for key in report.get("mismatched_keys", ())]
    if missing:
        raise CheckpointError(
            f"{checkpoint.name}: not a trained classifier, it has no values for "
            f"{', '.join(sorted(missing)[:4])}; give {checkpoint.option} a fine-tuned checkpoint"
        )
