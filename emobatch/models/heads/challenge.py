"""The baseline of MSP-Podcast's challenge: WavLM, attentive statistics pooling, layers behind it.

As it is published, with all weights in one file, or as its training writes them: ``final_ssl.pt``,
``final_pool.pt`` and ``final_ser.pt``, with mean and deviation of the audio in
``train_norm_stat.pkl``.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from emobatch.models import files
from emobatch.models.heads.attentive import PARTS
from emobatch.models.heads.head import CONFIG, MSP_ATTRIBUTES, MSP_EMOTIONS, Folder, Head

if TYPE_CHECKING:
    from emobatch.models.heads.networks import Headed
    from emobatch.models.heads.weights import State

ARCHITECTURE, MODEL_TYPE = "SERModel", "ser"
# What its deviation is never below of.
LEAST_DEVIATION = 1e-6
# Samples that the layers of its encoder go on by: shapes of weights don't say.
STRIDES = (5, 2, 2, 2, 2, 2, 2)
# What a pickle of two numbers may have made: NumPy's own.
NUMBERS = {
    ("numpy", "dtype"),
    *((f"numpy.{core}.multiarray", "scalar") for core in ("core", "_core")),
}


class Challenge(Head):
    """The baseline of MSP-Podcast's challenge."""

    about: ClassVar[str] = "attentive statistics pooling, of MSP-Podcast's challenge"
    has_extractor: ClassVar[bool] = False

    @classmethod
    def claims(cls, folder: Folder) -> bool:
        """Whether it says so, or says nothing and has some of the three files."""
        if folder.architectures or "model_type" in folder.config:
            return ARCHITECTURE in folder.architectures or cls._typed(folder)
        return bool(files.challenge_parts(folder.path))

    @classmethod
    def check(cls, folder: Folder) -> None:
        """Refuse a folder without one of the three files, or without mean and deviation."""
        _weights(folder.path)
        _normalise(folder)
        cls.labels(folder)

    @classmethod
    def labels(cls, folder: Folder) -> list[str]:
        """Read ``id2label``; else eight emotions or three attributes in the challenge's order."""
        if folder.named_outputs:
            return folder.named_outputs
        count = folder.config.get("num_classes")
        if count is None:
            count = len(_part(folder.path, "out.0.weight"))
        for known in (MSP_EMOTIONS, MSP_ATTRIBUTES):
            if count == len(known):
                return [*known]
        raise ValueError(f"lacks its part id2label: {CONFIG} doesn't name its {count} outputs")

    @classmethod
    def states(cls, folder: Folder) -> int:
        """Take what its configuration says, else as many as are pooled."""
        size = folder.config.get("hidden_size")
        return len(_part(folder.path, "attention")) if size is None else int(size)

    @classmethod
    def load(cls, folder: Folder, outputs: int) -> tuple[Headed, Any]:
        """Load the network, and what normalises samples."""
        from emobatch.models.heads import weights
        from emobatch.models.heads.extractor import Extractor
        from emobatch.models.heads.networks import AttentiveClassifier

        state = _state(folder.path)
        said = folder.config.get("ssl_config")
        encoder = weights.encoder(
            {**_wavlm(state), **(said if isinstance(said, Mapping) else {})}, state, PARTS[0]
        )
        first = state.get(f"{PARTS[2]}fc.0.0.weight")
        layers = {name.split(".")[2] for name in state if name.startswith(f"{PARTS[2]}fc.")}
        width = None if first is None else len(first)
        network = AttentiveClassifier(encoder, outputs, width=width, layers=len(layers) or 1)
        attention = f"{PARTS[1]}attention"
        if attention in state:
            state[attention] = state[attention].reshape(-1, 1)
        weights.fill(network, state, PARTS)
        mean, deviation = _normalise(folder)
        return network.eval(), Extractor(mean, deviation + LEAST_DEVIATION)

    @staticmethod
    def _typed(folder: Folder) -> bool:
        return folder.config.get("model_type") == MODEL_TYPE


def _weights(path: Path) -> Mapping[str, Sequence[Path]]:
    # Files by the prefix that their names are to have.
    whole = files.transformers_weights(path)
    if whole:
        return {"": whole}
    parts = files.challenge_parts(path)
    for prefix in PARTS:
        name = prefix.removesuffix("_model.")
        if name not in parts:
            raise ValueError(f"lacks its part {name}: no file final_{name}.pt")
    return {prefix: [parts[prefix.removesuffix("_model.")]] for prefix in PARTS}


def _state(path: Path) -> State:
    from emobatch.models.heads import weights

    state: State = {}
    for prefix, parts in _weights(path).items():
        state |= weights.read(parts, prefix)
    return state


def _part(path: Path, name: str) -> Any:
    # Of a folder that says nothing, a tensor by whose shape it shows.
    for prefix in PARTS:
        if (found := _state(path).get(prefix + name)) is not None:
            return found
    raise ValueError(f"lacks its part {name}, and no {CONFIG} says what it would")


def _normalise(folder: Folder) -> tuple[float, float]:
    said = folder.config.get("mean"), folder.config.get("std")
    file = folder.path / files.NORM_STAT
    if None in said and file.is_file():
        with file.open("rb") as handle:
            said = _Numbers(handle).load()
    mean, deviation = said
    if mean is None or deviation is None:
        missing = " and ".join(n for n, v in zip(("mean", "std"), said, strict=True) if v is None)
        raise ValueError(
            f"lacks its part {missing}: neither {CONFIG} nor {files.NORM_STAT} says by what its "
            "input was normalised"
        )
    return float(mean), float(deviation)


class _Numbers(pickle.Unpickler):
    """Opens a pickle of numbers, and of nothing that could run."""

    def find_class(self, module: str, name: str) -> Any:
        """Look up what makes NumPy's numbers."""
        if (module, name) not in NUMBERS:
            raise ValueError(f"{files.NORM_STAT} has more than two numbers: {module}.{name}")
        return super().find_class(module, name)


def _wavlm(state: State) -> dict[str, Any]:
    # The published configuration names the encoder's by a repository, which isn't asked: what it
    # would say follows from the shapes of the weights.
    def shape(name: str) -> tuple[int, ...]:
        found = state.get(PARTS[0] + name)
        if found is None:
            raise ValueError(f"lacks its part ssl_model: no {PARTS[0]}{name}, as WavLM has it")
        return tuple(found.shape)

    def count(before: str) -> int:
        start = PARTS[0] + before
        return len({n[len(start) :].split(".")[0] for n in state if n.startswith(start)})

    convolutions = "feature_extractor.conv_layers."
    layers = range(count(convolutions))
    kernels = [shape(f"{convolutions}{layer}.conv.weight") for layer in layers]
    position = shape("encoder.pos_conv_embed.conv.parametrizations.weight.original1")
    attention = "encoder.layers.0.attention."
    heads = shape(f"{attention}gru_rel_pos_const")[1]
    by_layer = f"{PARTS[0]}{convolutions}1.layer_norm.weight" in state
    return {
        "model_type": "wavlm",
        "conv_dim": [kernel[0] for kernel in kernels],
        "conv_kernel": [kernel[-1] for kernel in kernels],
        "conv_stride": list(STRIDES[: len(layers)]),
        "conv_bias": f"{PARTS[0]}{convolutions}0.conv.bias" in state,
        "feat_extract_norm": "layer" if by_layer else "group",
        "do_stable_layer_norm": by_layer,
        "hidden_size": position[0],
        "num_conv_pos_embeddings": position[2],
        "num_conv_pos_embedding_groups": position[0] // position[1],
        "num_hidden_layers": count("encoder.layers."),
        "num_attention_heads": heads,
        "intermediate_size": shape("encoder.layers.0.feed_forward.intermediate_dense.weight")[0],
        "num_buckets": shape(f"{attention}rel_attn_embed.weight")[0],
    }
