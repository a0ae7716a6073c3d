"""Hidden states of the pass that gives the outputs, pooled: one vector for a clip or a text."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from emobatch.models.embedding import Embedding
from emobatch.models.heads import pooling


class States:
    """Takes an encoder's hidden states as they pass, and pools each row's own."""

    def __init__(self, model: Any, embedding: Embedding) -> None:
        """Begin to listen.

        Args:
            model: a classifier with an encoder.
            embedding: what is wanted of it.

        Raises:
            ValueError: if it has no encoder of its own, no such layer, or states of another size.
        """
        encoder = model.base_model
        if encoder is model:
            raise ValueError("has no encoder of its own, so that it has no embeddings")
        layers, size = encoder.config.num_hidden_layers, encoder.config.hidden_size
        if embedding.layer is not None and embedding.layer > layers:
            raise ValueError(
                f"--layer {embedding.layer}: its encoder has {layers} layers; give 0 to {layers}"
            )
        if size != embedding.states:
            raise ValueError(f"its states are of {size} numbers, {embedding.states} by config.json")
        self._model = model
        self._embedding = embedding
        self._passed = threading.local()  # batches may run side by side
        encoder.register_forward_hook(self._take)

    def run(self, inputs: Any) -> tuple[torch.Tensor, NDArray[np.float64]]:
        """Run the model once.

        Args:
            inputs: tensors, (rows, …), on its device.

        Returns:
            (rows, outputs) logits, and (rows, width) pooled states in double precision.
        """
        asked = {} if self._embedding.layer is None else {"output_hidden_states": True}
        logits = self._model(**inputs, **asked).logits
        states, self._passed.states = self._passed.states, None
        mask = self._own(states, inputs)
        states = states.float()
        pooled = [pooling.mean(states, mask)]
        if self._embedding.deviation:
            pooled.append(pooling.deviation(states, mask))
        return logits, torch.cat(pooled, dim=1).double().cpu().numpy()

    def _take(self, encoder: Any, given: Any, found: Any) -> None:
        layer = self._embedding.layer
        self._passed.states = (
            found.last_hidden_state if layer is None else found.hidden_states[layer]
        )

    def _own(self, states: torch.Tensor, inputs: Any) -> torch.Tensor | None:
        mask: torch.Tensor | None = inputs.get("attention_mask")
        if mask is None or states.shape[1] == mask.shape[1]:
            return None if mask is None else mask.bool()  # tokens
        frames: torch.Tensor = self._model.base_model._get_feature_vector_attention_mask(
            states.shape[1], mask
        )
        return frames
