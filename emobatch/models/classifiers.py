"""What speech and text models share: loading a network, running it, and reading it.

Nothing that a checkpoint carries is run: remote code is off, safetensors come first, and pickles
are opened for their weights only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoConfig

from emobatch.errors import CheckpointError
from emobatch.models import hub
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.devices import Device
from emobatch.models.embedding import Embedding
from emobatch.models.outputs import Outputs
from emobatch.models.states import States

# Parameters that only training uses: a checkpoint may lack them.
UNUSED_PARAMETERS = ("masked_spec_embed",)


# Loads a checkpoint: the network, and what makes its inputs of samples or of texts.
Loader = Callable[[Checkpoint, Device], tuple[Any, Any]]


class Classifier:
    """A checkpoint whose outputs stand for known classes and attributes.

    Attributes:
        model: in evaluation mode, on the device.
        processor: makes the model's inputs: feature extractor or tokenizer.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: Device,
        loader: Loader,
        outputs: Outputs,
        embedding: Embedding | None = None,
    ) -> None:
        """Load the checkpoint.

        Args:
            checkpoint: its files.
            device: where to run it.
            loader: loads checkpoints of its kind.
            outputs: what its outputs stand for.
            embedding: what of its encoder's hidden states is wanted, None for nothing.

        Raises:
            CheckpointError: if it can't be loaded, is of another kind, or was never trained.
        """
        self._device = device
        self._outputs = outputs
        with checkpoint.explained(), hub.closed():
            self.model, self.processor = loader(checkpoint, device)
            self.model.eval().to(device.name, device.dtype)
            self._states = None if embedding is None else States(self.model, embedding)

    def read(self, inputs: Any) -> NDArray[np.float64]:
        """Run the model, once for all that is read of it.

        Args:
            inputs: the processor's tensors, (rows, …).

        Returns:
            (rows, classes + attributes + width of the embedding) in double precision: of each row
            probabilities that sum to one, attributes as they are, and pooled hidden states.
        """
        inputs = inputs.to(self._device.name)
        for name, value in inputs.items():
            if value.is_floating_point():
                inputs[name] = value.to(self._device.dtype)
        if self._states is None:
            return readings(self.model(**inputs).logits, self._outputs)
        logits, pooled = self._states.run(inputs)
        return np.hstack([readings(logits, self._outputs), pooled])


def readings(logits: torch.Tensor, outputs: Outputs) -> NDArray[np.float64]:
    """Read outputs as what they stand for.

    Args:
        logits: (rows, outputs).
        outputs: what they stand for.

    Returns:
        (rows, classes + attributes) in double precision: probabilities, then attributes.

    Examples:
        >>> readings(torch.tensor([[0.0, 0.25, 0.0]]), Outputs([0, None, 1], 2, (1,))).tolist()
        [[0.5, 0.5, 0.25]]
    """
    attributes = logits[:, list(outputs.attributes)].double().cpu().numpy()
    if outputs.count == 0:
        return attributes
    probabilities = class_probabilities(logits, outputs.classes, outputs.count)
    return np.hstack([probabilities, attributes])


def of_transformers(auto_model: Any, auto_processor: Any) -> Loader:
    """Load checkpoints by classes of transformers.

    Args:
        auto_model: the Auto class of their model.
        auto_processor: that of what makes its inputs.

    Returns:
        What loads one.
    """

    def load(checkpoint: Checkpoint, device: Device) -> tuple[Any, Any]:
        config = read_config(checkpoint, auto_model)
        processor = auto_processor.from_pretrained(
            checkpoint.folder, trust_remote_code=False, local_files_only=True
        )
        model, report = auto_model.from_pretrained(
            checkpoint.folder,
            config=config,
            dtype=device.dtype,
            trust_remote_code=False,
            weights_only=True,
            local_files_only=True,
            output_loading_info=True,
        )
        _check_trained(checkpoint, report)
        return model, processor

    return load


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


def read_config(checkpoint: Checkpoint, auto_model: Any) -> Any:
    """Read what a checkpoint's model is made of, and have none of its code run.

    Args:
        checkpoint: its folder.
        auto_model: class of transformers that is to load it.

    Returns:
        The configuration.

    Raises:
        CheckpointError: if that class has no model of its type.
    """
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
    if missing:
        raise CheckpointError(
            f"{checkpoint.name}: not a trained classifier, it has no values for "
            f"{', '.join(sorted(missing)[:4])}; give {checkpoint.option} a fine-tuned checkpoint"
        )
