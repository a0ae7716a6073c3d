"""What a checkpoint's folder may not name: code, and files and repositories other than its own.

A folder's JSON files can have the libraries that load it run code, fetch from the hub, or open
files elsewhere. They are read here, before any of these libraries is imported. What is merely left
over in a published checkpoint, such as the folder it was once saved in, is no reason to refuse it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from emobatch.errors import CheckpointError, first_line

# Files in which a key can have something opened or run; vocabularies can't.
SETTINGS = ("*config*.json", "*.index.json")
SPECIAL_TOKENS = "special_tokens_map.json"
ADAPTER = "adapter_config.json"
TOKENIZER = "tokenizer.json"
CONFIG = "config.json"
# Where a checkpoint names its classes, of which emobatch has its own.
UNUSED_CODE = ("auto_map",)
# Weights in pieces as a run on several machines saves them: taken in place of the others.
DISTRIBUTED = "shard-*-model-*-of-*.safetensors"
WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
# Where the folder was saved once, and what is looked for in it anew whatever is said there.
LEFT_OVER = {
    *("name_or_path", "_name_or_path", "added_tokens_file", "chat_template_file"),
    *("special_tokens_map_file", "tokenizer_config_file", "tokenizer_file"),
}
CODE = "names code, which is never run"
PLAIN = "; give {option} a checkpoint that needs none, or remove the key where it is a leftover"
OTHER = "names a file that isn't in this folder"
HERE = "; put the file into the folder and name it alone, or remove the key"


class Rule(NamedTuple):
    """When a key's value is refused.

    Attributes:
        refuses: whether a value is one that is refused.
        why: what is wrong with it.
        remedy: what to do about it.
    """

    refuses: Callable[[Any], bool]
    why: str
    remedy: str


def _is_repository(value: Any) -> bool:
    names = value.values() if isinstance(value, Mapping) else (value,)
    return any(isinstance(name, str) and re.search("[/:|@]", name) for name in names)


def _no_class(pattern: str) -> Callable[[Any], bool]:
    # A class of the libraries that is made for this, and not one that goes on to load others.
    def refuses(value: Any) -> bool:
        return bool(value) and not re.fullmatch(pattern, str(value))

    return refuses


def _not_plain(value: Any) -> bool:
    names = value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    return any(not isinstance(name, str) or Path(name).name != name for name in names)


CODE_RULE = Rule(bool, CODE, PLAIN)
KERNEL_RULE = Rule(bool, "names kernels, which are code from the hub", PLAIN)
ATTENTION_RULE = Rule(_is_repository, "names code from the hub, which is never fetched", PLAIN)
ELSEWHERE_RULE = Rule(bool, OTHER, HERE)
NAMES_RULE = Rule(_not_plain, OTHER, HERE)
RULES: Mapping[str, Rule] = {
    **dict.fromkeys(("auto_map", "custom_pipelines", "trust_remote_code"), CODE_RULE),
    **dict.fromkeys(("kernel_config", "use_kernels"), KERNEL_RULE),
    **{
        f"{before}{kind}_implementation{after}": ATTENTION_RULE
        for kind in ("attn", "experts")
        for before, after in (("", ""), ("_", ""), ("_", "_internal"))
    },
    "quantization_config": Rule(
        bool,
        "has the weights unpacked by other packages or by code from the hub",
        "; give {option} the checkpoint as it was before, and --precision where it shall be less",
    ),
    "tokenizer_class": Rule(
        _no_class(
            r"(?!Auto|Rag)\w*Tokenizer(Fast)?|(Tokenizers|Python|SentencePiece|MistralCommon)Backend"
        ),
        "is no tokenizer's class",
        PLAIN,
    ),
    "feature_extractor_type": Rule(
        _no_class(r"(?!Auto)\w*FeatureExtractor"), "is no feature extractor's class", PLAIN
    ),
    "processor_class": Rule(_no_class(r"\w*"), CODE, PLAIN),
    # Given as they are to the tokenizer, or to a dictionary's program.
    **dict.fromkeys(("init_inputs", "gguf_file", "mecab_option"), ELSEWHERE_RULE),
    **dict.fromkeys(("sudachi_config_path", "sudachi_resource_dir"), ELSEWHERE_RULE),
    **dict.fromkeys(("weight_map", "fast_tokenizer_files", "configuration_files"), NAMES_RULE),
    "transformers_weights": Rule(
        lambda value: bool(value) and value not in WEIGHTS,
        "has other weights loaded than those that are named as usual",
        "; name them model.safetensors, and remove the key",
    ),
}


def check(
    folder: Path, name: str, option: str, *, asr: bool, own: bool, code_unused: bool = False
) -> None:
    """Refuse a checkpoint that brings code, or names files or repositories other than its own.

    Args:
        folder: where its files are.
        name: hub name or folder, as the user gave it.
        option: the command line's option that names it.
        asr: whether it is Whisper in CTranslate2's format.
        own: whether it is a folder of the user's and not in the hub's cache, whose files are links.
        code_unused: whether the code that its ``config.json`` names is known to be of no use: it
            is loaded by classes of our own.

    Raises:
        CheckpointError: says which file, which key, and what to do.
    """
    try:
        for complaint in _complaints(folder, asr=asr, own=own, code_unused=code_unused):
            raise CheckpointError(f"{name}: {complaint.format(option=option)}")
    except OSError as error:
        raise CheckpointError(
            f"{name}: {first_line(error)}; give {option} a folder that can be read"
        ) from error


def _complaints(folder: Path, *, asr: bool, own: bool, code_unused: bool) -> Iterator[str]:
    files = sorted(folder.iterdir())
    if own:
        yield from _strange_files(folder, files)
    for file in files:
        if file.name == ADAPTER:
            yield (
                f"{ADAPTER}: an adapter, which names the model it is laid over; give {{option}} "
                "the two merged (peft's merge_and_unload)"
            )
        if file.match(DISTRIBUTED):
            yield (
                f"{file.name}: weights of a distributed run, which would be loaded in place of "
                "the others; give {option} a checkpoint without"
            )
        if any(file.match(pattern) for pattern in (*SETTINGS, SPECIAL_TOKENS)):
            unused = UNUSED_CODE if code_unused and file.name == CONFIG else ()
            yield from _strange_keys(file, unused)
    if asr and not (folder / TOKENIZER).is_file():
        yield (
            f"no {TOKENIZER}, in place of which one would be fetched from the hub; convert it "
            f"again with --copy_files {TOKENIZER}, or copy that file of the model it was made from"
        )


def _strange_files(folder: Path, files: list[Path]) -> Iterator[str]:
    # In the hub's cache, links go to a folder beside that of the snapshots.
    home = Path(os.path.realpath(folder))
    if home.parent.name == "snapshots" and home.parents[1].name.startswith("models--"):
        home = home.parents[1]
    for file in files:
        # Path.resolve() raises where links go in a circle.
        if file.is_symlink() and not Path(os.path.realpath(file)).is_relative_to(home):
            yield (
                f"{file.name}: a link out of the folder; give {{option}} a copy that has the file "
                "itself (cp -rL)"
            )
        if file.exists() and not file.is_file() and not file.is_dir():
            yield f"{file.name}: not a regular file; remove it"


def _strange_keys(file: Path, unused: Collection[str]) -> Iterator[str]:
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        return  # whoever loads it says what is wrong with it
    except RecursionError:
        yield f"{file.name}: nested too deep to be read; give {{option}} another checkpoint"
        return
    for key, value in _items(settings, deep=file.name != SPECIAL_TOKENS):
        rule = RULES.get(key) or _rule_in(file, key)
        if key not in unused and rule.refuses(value):
            shown = json.dumps(value, ensure_ascii=False)
            shown = shown if len(shown) <= 60 else f"{shown[:60]}…"
            text = f"{file.name}: `{key}` {rule.why} ({shown})".replace("{", "{{")
            yield text.replace("}", "}}") + rule.remedy


def _rule_in(file: Path, key: str) -> Rule:
    if file.name == SPECIAL_TOKENS and not key.endswith(("_token", "_tokens")):
        # Each of its keys is given to the tokenizer, and goes before the files of the folder.
        return Rule(lambda value: isinstance(value, str), "is no token", "; remove the key")
    named = key.endswith("_file") or key in ("vocab", "merges")

    def refuses(value: Any) -> bool:
        # A path of the machine that a checkpoint was made on leads nowhere here.
        if not isinstance(value, str) or not (named or "/" in value) or key in LEFT_OVER:
            return False
        try:
            target = Path(os.path.realpath(value))
            return target.is_file() and not target.is_relative_to(os.path.realpath(file.parent))
        except (OSError, ValueError):
            return False

    return Rule(refuses, OTHER, HERE)


def _items(settings: Any, *, deep: bool) -> Iterator[tuple[str, Any]]:
    # Whatever the nesting: configurations hold those of their parts.
    waiting = [settings]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            yield from found.items()
        if deep and isinstance(found, dict | list):
            waiting += found.values() if isinstance(found, dict) else found
