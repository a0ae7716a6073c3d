"""The small Whisper of the demo, and a forward pass that trains it without its long silence.

faster-whisper pads each clip's features with zeros to 30 s, so that the encoder always sees 1500
positions, of which a demo clip fills about a tenth. Padded positions all hold the same vector
where their position encodings are the same, and N equal keys in an attention weigh as much as
one key with log(N) added to its score. So the encoder's position table is made constant beyond
the longest clip, and training replaces all that silence by a single padded position.
"""

import math
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import WhisperConfig, WhisperForConditionalGeneration
from transformers.models.whisper.modeling_whisper import WhisperEncoder

MEL_BINS: Final = 80
CHUNK_SECONDS: Final = 5
_POSITIONS: Final = 1_500
_POSITIONS_A_SECOND: Final = 50
_WIDTH: Final = 128
_HEADS: Final = 2
_ENCODER_LAYERS: Final = 3
_DECODER_LAYERS: Final = 1


def new_whisper(vocabulary_size: int, start: int, end: int) -> WhisperForConditionalGeneration:
    """Make an untrained Whisper whose padded positions all look alike.

    Args:
        vocabulary_size: Number of tokens, specials included.
        start: The token that starts every transcript.
        end: The token that ends it and that pads batches.
    """
    config = WhisperConfig(
        vocab_size=vocabulary_size,
        num_mel_bins=MEL_BINS,
        d_model=_WIDTH,
        encoder_layers=_ENCODER_LAYERS,
        decoder_layers=_DECODER_LAYERS,
        encoder_attention_heads=_HEADS,
        decoder_attention_heads=_HEADS,
        encoder_ffn_dim=2 * _WIDTH,
        decoder_ffn_dim=2 * _WIDTH,
        max_source_positions=_POSITIONS,
        dropout=0.05,
        init_std=0.05,
        decoder_start_token_id=start,
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        suppress_tokens=[],
        begin_suppress_tokens=[],
    )
    model = WhisperForConditionalGeneration(config)
    with torch.no_grad():
        table = model.model.encoder.embed_positions.weight
        table[padding_position() :] = table[padding_position()].clone()
    return model


def padding_position() -> int:
    """Return the first encoder position beyond the longest clip."""
    return CHUNK_SECONDS * _POSITIONS_A_SECOND


def _convolved(encoder: WhisperEncoder, features: Tensor) -> Tensor:
    """Run the encoder's two convolutions: (batch, mels, frames) -> (batch, frames / 2, width)."""
    hidden = functional.gelu(encoder.conv1(features))
    hidden = functional.gelu(encoder.conv2(hidden))
    return hidden.permute(0, 2, 1)


def _padding_bias(positions: int) -> Tensor:
    """Return the attention bias of `positions` keys and the one that stands for the rest."""
    bias = torch.zeros(1, 1, 1, positions + 1)
    bias[..., -1] = math.log(_POSITIONS - positions)
    return bias


class TrainingWhisper(nn.Module):
    """A Whisper with the shortened forward pass and a CTC head that is thrown away afterwards."""

    def __init__(self, whisper: WhisperForConditionalGeneration, letters: int) -> None:
        """Wrap a model.

        Args:
            whisper: The model to train.
            letters: Number of CTC classes, the blank included.
        """
        super().__init__()
        self.whisper = whisper
        self.letters = nn.Linear(whisper.config.d_model, letters)

    def encode(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Encode log-mel features.

        Args:
            features: Shape (batch, mels, frames), `frames` even and at most the chunk's.

        Returns:
            The encoding, shape (batch, frames / 2 + 1, width), its last position standing for all
            the padding, and the attention bias that gives that position its weight.
        """
        encoder = self.whisper.model.encoder
        content = _convolved(encoder, features)
        # Far from any edge the convolutions of silence are constant: the fifth of ten positions.
        silence = _convolved(encoder, features.new_zeros(1, MEL_BINS, 20))[:, 5:6]
        hidden = torch.cat([content, silence.expand(len(content), -1, -1)], dim=1)
        positions = content.shape[1]
        table = encoder.embed_positions.weight
        hidden = hidden + torch.cat([table[:positions], table[padding_position(), None]])
        hidden = functional.dropout(hidden, encoder.dropout, self.training)
        bias = _padding_bias(positions)
        for layer in encoder.layers:
            output = layer(hidden, attention_mask=bias)
            hidden = output if isinstance(output, Tensor) else output[0]
        return encoder.layer_norm(hidden), bias

    def decode(self, tokens: Tensor, encoding: Tensor, bias: Tensor) -> Tensor:
        """Predict the token after each token.

        Args:
            tokens: Shape (batch, length).
            encoding: From `encode`.
            bias: From `encode`.

        Returns:
            Logits, shape (batch, length, vocabulary).
        """
        decoder = self.whisper.model.decoder
        length = tokens.shape[1]
        hidden = decoder.embed_tokens(tokens) + decoder.embed_positions.weight[:length]
        hidden = functional.dropout(hidden, decoder.dropout, self.training)
        future = torch.full((length, length), float("-inf")).triu(1)[None, None]
        for layer in decoder.layers:
            output = layer(
                hidden,
                attention_mask=future,
                encoder_hidden_states=encoding,
                encoder_attention_mask=bias,
            )
            hidden = output if isinstance(output, Tensor) else output[0]
        logits: Tensor = self.whisper.proj_out(decoder.layer_norm(hidden))
        return logits
