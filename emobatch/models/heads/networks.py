"""The networks of heads: an encoder of transformers, frames pooled, and what is read off that."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers.modeling_outputs import SequenceClassifierOutput

from emobatch.models.heads import pooling


class Headed(nn.Module):
    """An encoder with a head."""

    @property
    def base_model(self) -> Any:
        """The encoder, a wav2vec 2.0, HuBERT or WavLM model of transformers."""
        raise NotImplementedError

    @property
    def config(self) -> Any:
        """The encoder's configuration."""
        return self.base_model.config

    def own_frames(self, states: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor | None:
        """Which frames are of a clip, and not of the padding behind it.

        Args:
            states: (clips, frames, size) of the encoder.
            mask: (clips, samples) 1 where a sample is the clip's own, None where all are.

        Returns:
            (clips, frames) true where a frame is; None where all are.
        """
        if mask is None:
            return None
        frames: torch.Tensor = self.base_model._get_feature_vector_attention_mask(
            states.shape[1], mask
        )
        return frames

    def head(self, states: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Read outputs off the frames.

        Args:
            states: (clips, frames, size), the encoder's last hidden states.
            mask: (clips, frames) true where a frame is the clip's own, None where all are.

        Returns:
            (clips, outputs) before any softmax.
        """
        raise NotImplementedError

    def forward(
        self,
        input_values: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        **options: Any,
    ) -> SequenceClassifierOutput:
        """Run encoder and head.

        Args:
            input_values: (clips, samples), 16 kHz, normalised, padded at the end.
            attention_mask: (clips, samples) 1 where a sample is the clip's own, None where all are.
            options: of the encoder.

        Returns:
            ``logits``, (clips, outputs).
        """
        found = self.base_model(input_values, attention_mask=attention_mask, **options)
        states = found.last_hidden_state
        logits = self.head(states, self.own_frames(states, attention_mask))
        return SequenceClassifierOutput(logits=logits)


class MeanClassifier(Headed):
    """Mean over time, a dense layer, tanh, and a layer of outputs.

    Attributes:
        wav2vec2: the encoder.
        classifier: ``dense`` and ``out_proj``.
    """

    def __init__(self, encoder: Any, outputs: int) -> None:
        super().__init__()
        size = encoder.config.hidden_size
        self.wav2vec2 = encoder
        self.classifier = nn.ModuleDict(
            {"dense": nn.Linear(size, size), "out_proj": nn.Linear(size, outputs)}
        )

    @property
    def base_model(self) -> Any:
        """The encoder."""
        return self.wav2vec2

    def head(self, states: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Read outputs off the mean, see :meth:`Headed.head`."""
        dense, out = self.classifier["dense"], self.classifier["out_proj"]
        outputs: torch.Tensor = out(torch.tanh(dense(pooling.mean(states, mask))))
        return outputs


class Layers(nn.Module):
    """Layers behind the pooling: linear, layer norm, ReLU, dropout; and a linear one of outputs.

    Attributes:
        residual: whether a layer's input is added to what it gives, where both are as wide.
    """

    def __init__(
        self, size: int, width: int, layers: int, outputs: int, dropout: float, residual: bool
    ) -> None:
        super().__init__()
        self.inp_drop = nn.Dropout(dropout)
        self.fc = nn.ModuleList(
            nn.Sequential(
                nn.Linear(width if layer else size, width),
                nn.LayerNorm(width),
                nn.ReLU(),
                nn.Dropout(dropout),
            )
            for layer in range(layers)
        )
        self.out = nn.Sequential(nn.Linear(width, outputs))
        self.residual = residual

    def forward(self, pooled: torch.Tensor) -> torch.Tensor:
        """Read outputs off what was pooled: (clips, size) to (clips, outputs)."""
        state = self.inp_drop(pooled)
        for layer in self.fc:
            found = layer(state)
            as_wide = self.residual and found.shape == state.shape
            state = found + state if as_wide else found
        outputs: torch.Tensor = self.out(state)
        return outputs


class AttentiveClassifier(Headed):
    """Attentive statistics pooling, and layers behind it.

    Attributes:
        ssl_model: the encoder.
        pool_model: the pooling.
        ser_model: the layers.
    """

    def __init__(
        self,
        encoder: Any,
        outputs: int,
        *,
        width: int | None = None,
        layers: int = 1,
        dropout: float = 0.5,
        residual: bool = False,
    ) -> None:
        """Put a head with random weights on an encoder.

        Args:
            encoder: a wav2vec 2.0, HuBERT or WavLM model of transformers.
            outputs: how many there are: classes, attributes or both.
            width: of the layers behind the pooling; None for that of the pooling, so that the
                first of them can be residual, too.
            layers: how many of them there are before the one of outputs.
            dropout: share that is left out in training.
            residual: whether a layer's input is added to what it gives, where both are as wide.
        """
        super().__init__()
        size = encoder.config.hidden_size
        self.ssl_model = encoder
        self.pool_model = pooling.AttentiveStatistics(size)
        pooled = 2 * size
        self.ser_model = Layers(pooled, width or pooled, layers, outputs, dropout, residual)

    @property
    def base_model(self) -> Any:
        """The encoder."""
        return self.ssl_model

    def head(self, states: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Read outputs off mean and deviation, see :meth:`Headed.head`."""
        outputs: torch.Tensor = self.ser_model(self.pool_model(states, mask))
        return outputs
