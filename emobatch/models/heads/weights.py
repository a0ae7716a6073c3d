"""Weights of a head's checkpoint into its network, or what of it is missing, by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModel

from emobatch.models.heads.networks import Headed

# Parameters of encoders that only training uses.
UNUSED = ("masked_spec_embed",)
# As torch once called what a normalised weight is made of.
RENAMED = {
    ".weight_g": ".parametrizations.weight.original0",
    ".weight_v": ".parametrizations.weight.original1",
}
MOST_NAMED = 3
State = dict[str, torch.Tensor]


def read(files: Iterable[Path], prefix: str = "") -> State:
    """Read tensors; of a pickle nothing but these is opened.

    Args:
        files: safetensors or pickles, all parts of one.
        prefix: put before their names.

    Returns:
        Tensors by name, as torch calls them now.
    """
    found: State = {}
    for file in files:
        if file.suffix == ".safetensors":
            found |= load_file(file)
        else:
            found |= torch.load(file, map_location="cpu", weights_only=True)
    return {prefix + _renamed(name): tensor for name, tensor in found.items()}


def encoder(config: Mapping[str, Any], state: State, prefix: str) -> Any:
    """Build an encoder without values, to be filled.

    Args:
        config: of its own, with ``model_type``.
        state: tensors of the checkpoint.
        prefix: of the encoder's.

    Returns:
        A model of transformers on no device.
    """
    # A checkpoint may name a repository of the hub whose code would compute its attention; a
    # number that it leaves open stands for the usual one.
    said = {
        name: value
        for name, value in config.items()
        if value is not None
        and name not in ("auto_map", "architectures", "model_type")
        and "implementation" not in name
    }
    made = AutoConfig.for_model(config["model_type"], **said)
    made._attn_implementation = None
    if f"{prefix}{UNUSED[0]}" not in state:
        made.mask_time_prob = made.mask_feature_prob = 0.0
    with torch.device("meta"):
        return AutoModel.from_config(made, trust_remote_code=False)


def fill(network: Headed, state: State, parts: Sequence[str]) -> None:
    """Give a network its values.

    Args:
        network: without values, or with random ones.
        state: tensors by name.
        parts: prefixes of names that belong together, as messages name them.

    Raises:
        ValueError: if one is missing, left over in a part of the head, or of another shape.
    """
    wanted = network.state_dict()
    for part in parts:
        missing = [name for name in wanted if name.startswith(part) and name not in state]
        if missing:
            raise ValueError(f"lacks its part {part.rstrip('.')}: no {_listed(missing)}")
    encoder_part = parts[0]
    strays = [name for name in state if name not in wanted]
    strays = [n for n in strays if n.startswith(tuple(parts)) and not n.startswith(encoder_part)]
    if strays:
        raise ValueError(f"has weights that such a head doesn't: {_listed(strays)}")
    for name, tensor in wanted.items():
        if tensor.shape != state[name].shape:
            raise ValueError(
                f"{name} is {tuple(state[name].shape)}, {tuple(tensor.shape)} is wanted by its "
                "config.json"
            )
    network.load_state_dict({name: state[name] for name in wanted}, assign=True)


def _renamed(name: str) -> str:
    for before, now in RENAMED.items():
        if name.endswith(before):
            return name.removesuffix(before) + now
    return name


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
