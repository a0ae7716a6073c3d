"""A checkpoint that names code, another folder or a repository is refused before it is loaded."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from hub_server import serve
from sounds import save, tone

from emobatch.errors import CheckpointError
from emobatch.models.checkpoints import DEMO_FOLDER, DEMO_FOLDERS, Checkpoint, find

Cli = Callable[..., Result]
Harm = Callable[[Path], None]


def with_keys(name: str, **keys: Any) -> Harm:
    """Put keys into one of a folder's JSON files, which needn't be there."""

    def change(folder: Path) -> None:
        file = folder / name
        content = json.loads(file.read_text()) if file.exists() else {}
        told = json.dumps({**content, **keys})
        file.write_text(told.replace("OUTSIDE", str(folder.parent / "outside")))

    return change


def with_link(name: str) -> Harm:
    """Have a file be a link to one outside of the folder that holds the same."""

    def change(folder: Path) -> None:
        outside = folder.parent / "outside" / folder.name
        shutil.move(folder / name, outside)
        (folder / name).symlink_to(outside)

    return change


def with_pipe(folder: Path) -> None:
    os.mkfifo(folder / "vocab.txt")


def without_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def with_adapter(folder: Path) -> None:
    base = {"peft_type": "LORA", "base_model_name_or_path": "evil/base", "auto_mapping": None}
    with_keys("adapter_config.json", **base)(folder)


def with_distributed_weights(folder: Path) -> None:
    shutil.copy(
        folder / "model.safetensors", folder / "shard-00001-model-00001-of-00001.safetensors"
    )


def nested(folder: Path) -> None:
    (folder / "generation_config.json").write_text('{"a":' * 100_000 + "1" + "}" * 100_000)


CODE = {"AutoConfig": "planted.Harm", "AutoTokenizer": ["planted.Harm", None]}
KERNEL = "evil/kernel@main:attend"
# Name of the test: the branch, what is done to its folder, and the file and key that are named.
ATTACKS: dict[str, tuple[str, Harm, str]] = {
    "code of a model": ("speech", with_keys("config.json", auto_map=CODE), "`auto_map` names code"),
    "code of another repository": (
        "text",
        with_keys("config.json", auto_map={"AutoConfig": "evil/repository--planted.Harm"}),
        "config.json: `auto_map` names code",
    ),
    "code of a feature extractor": (
        "speech",
        with_keys("preprocessor_config.json", auto_map={"AutoFeatureExtractor": "planted.Harm"}),
        "preprocessor_config.json: `auto_map`",
    ),
    "code of a processor": (
        "speech",
        with_keys("processor_config.json", feature_extractor={"auto_map": CODE}),
        "processor_config.json: `auto_map`",
    ),
    "code of a tokenizer": (
        "text",
        with_keys("tokenizer_config.json", auto_map=["planted.Harm", None]),
        "tokenizer_config.json: `auto_map`",
    ),
    "code of a pipeline": (
        "text",
        with_keys("config.json", custom_pipelines={"x": {"impl": "planted.Harm"}}),
        "`custom_pipelines`",
    ),
    "trusted code": (
        "text",
        with_keys("tokenizer_config.json", trust_remote_code=True),
        "`trust_remote_code`",
    ),
    "any class as tokenizer": (
        "text",
        with_keys("tokenizer_config.json", tokenizer_class="AutoModel"),
        "`tokenizer_class` is no tokenizer's class",
    ),
    "a tokenizer that loads others": (
        "text",
        with_keys("tokenizer_config.json", tokenizer_class="RagTokenizer"),
        "`tokenizer_class`",
    ),
    "a tokenizer's class in the model's configuration": (
        "text",
        with_keys("config.json", tokenizer_class="AutoTokenizer"),
        "config.json: `tokenizer_class`",
    ),
    "any class as feature extractor": (
        "speech",
        with_keys("preprocessor_config.json", feature_extractor_type="AutoProcessor"),
        "`feature_extractor_type` is no feature extractor's class",
    ),
    "a module as processor": (
        "speech",
        with_keys("preprocessor_config.json", processor_class="evil/repository--planted.Harm"),
        "`processor_class`",
    ),
    "attention of the hub": (
        "speech",
        with_keys("config.json", attn_implementation=KERNEL),
        "`attn_implementation` names code from the hub",
    ),
    "attention of the hub, inner name": (
        "text",
        with_keys("config.json", _attn_implementation={"": KERNEL}),
        "`_attn_implementation`",
    ),
    "experts of the hub": (
        "text",
        with_keys("config.json", text_config={"experts_implementation": KERNEL}),
        "`experts_implementation`",
    ),
    "kernels of the hub": (
        "speech",
        with_keys("config.json", use_kernels=True),
        "`use_kernels` names kernels",
    ),
    "kernels by their layers": (
        "speech",
        with_keys("config.json", kernel_config={"RMSNorm": KERNEL}),
        "`kernel_config` names kernels",
    ),
    "quantisation": (
        "speech",
        with_keys("config.json", quantization_config={"quant_method": "mxfp4"}),
        "`quantization_config` has the weights unpacked",
    ),
    "quantisation of a part": (
        "text",
        with_keys("config.json", parts=[{"quantization_config": {"load_in_8bit": True}}]),
        "`quantization_config`",
    ),
    "adapter": ("speech", with_adapter, "adapter_config.json: an adapter"),
    "weights by another name": (
        "speech",
        with_keys("config.json", transformers_weights="../outside/model.safetensors"),
        "`transformers_weights`",
    ),
    "weights of a distributed run": ("speech", with_distributed_weights, "of a distributed run"),
    "parts of weights elsewhere": (
        "speech",
        with_keys("model.safetensors.index.json", weight_map={"a": "../outside/m.safetensors"}),
        "model.safetensors.index.json: `weight_map` names a file that isn't in this folder",
    ),
    "vocabulary elsewhere": (
        "text",
        with_keys("special_tokens_map.json", vocab_file="OUTSIDE/secret.txt"),
        "special_tokens_map.json: `vocab_file`",
    ),
    "vocabulary elsewhere, of the configuration": (
        "text",
        with_keys("tokenizer_config.json", vocab_file="OUTSIDE/secret.txt"),
        "tokenizer_config.json: `vocab_file`",
    ),
    "sentencepiece elsewhere": (
        "text",
        with_keys("tokenizer_config.json", sp_model_kwargs={"model_file": "OUTSIDE/secret.txt"}),
        "`model_file`",
    ),
    "tokenizer elsewhere": (
        "text",
        with_keys("tokenizer_config.json", fast_tokenizer_files=["../tokenizer.1.0.json"]),
        "`fast_tokenizer_files`",
    ),
    "tokenizer from other weights": (
        "text",
        with_keys("tokenizer_config.json", gguf_file="weights.gguf"),
        "`gguf_file`",
    ),
    "arguments of a tokenizer": (
        "text",
        with_keys("tokenizer_config.json", init_inputs=["OUTSIDE/secret.txt"]),
        "`init_inputs`",
    ),
    "dictionary elsewhere": (
        "text",
        with_keys("tokenizer_config.json", mecab_kwargs={"mecab_option": "-d OUTSIDE"}),
        "`mecab_option`",
    ),
    "dictionary elsewhere, of another program": (
        "text",
        with_keys("tokenizer_config.json", sudachi_kwargs={"sudachi_resource_dir": "OUTSIDE"}),
        "`sudachi_resource_dir`",
    ),
    "configuration elsewhere": (
        "text",
        with_keys("config.json", configuration_files=["../outside/config.4.0.0.json"]),
        "`configuration_files`",
    ),
    "link to settings": ("text", with_link("config.json"), "config.json: a link out of the folder"),
    "link to weights": ("asr", with_link("model.bin"), "model.bin: a link out of the folder"),
    "pipe": ("text", with_pipe, "vocab.txt: not a regular file"),
    "nested": ("speech", nested, "generation_config.json: nested too deep"),
    "tokenizer of the hub": ("asr", without_tokenizer, "no tokenizer.json"),
}
HEAVY = ["torch", "transformers", "ctranslate2", "faster_whisper", "tokenizers", "planted"]
# Runs commands in one process; of each what it said, imported of these, and did with sockets.
WATCH = """\
import json, sys
from click.testing import CliRunner
from emobatch.cli.main import main
seen = []
def hook(event, told):
    if event.startswith("socket.") and event != "socket.__new__":
        seen.append(f"{event} {told}")
    if event == "import" and told[0].partition(".")[0] in HEAVY:
        seen.append(told[0])
HEAVY = set(json.loads(sys.argv[1]))
sys.addaudithook(hook)
for line in sys.stdin:
    arguments = json.loads(line)
    result = CliRunner().invoke(main, arguments)
    print(json.dumps([result.exit_code, result.stdout, result.stderr, seen]), flush=True)
    seen.clear()
"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For each attack the demo's checkpoints, one of them changed; and a manifest."""
    root = tmp_path_factory.mktemp("foreign")
    save(root / "a.wav", tone(0.5))
    (root / "m.csv").write_text("path\na.wav\n")
    for number, (branch, harm, _) in enumerate(ATTACKS.values()):
        home = root / str(number)
        (home / "outside").mkdir(parents=True)
        (home / "outside" / "secret.txt").write_text("[PAD]\n[UNK]\nsecret\n")
        folder = Path(shutil.copytree(DEMO_FOLDER / DEMO_FOLDERS[branch], home / "model"))
        planted = f"open({str(root / 'marker')!r}, 'w').close()\nclass Harm: ...\n"
        (folder / "planted.py").write_text(planted)
        harm(folder)
    return root


def options(root: Path, attack: str) -> list[str]:
    number = list(ATTACKS).index(attack)
    return models(ATTACKS[attack][0], root / str(number) / "model")


def models(branch: str, folder: Path) -> list[str]:
    """Options for one folder, and for the demo's by their folders."""
    others = {name: DEMO_FOLDER / where for name, where in DEMO_FOLDERS.items()}
    return [f"--{name}-model={where}" for name, where in {**others, branch: folder}.items()]


@pytest.fixture(scope="module")
def outcomes(folders: Path) -> dict[tuple[str, str], list[Any]]:
    """What came of each attack, by the command."""
    table = str(folders / "scores.csv")
    commands = {
        (command, attack): [*arguments, *options(folders, attack)]
        for attack in ATTACKS
        for command, arguments in {
            "score": ["score", str(folders / "m.csv"), "-o", table],
            "score --offline": ["score", str(folders / "m.csv"), "-o", table, "--offline"],
            "models": ["models"],
        }.items()
    }
    done = subprocess.run(
        [sys.executable, "-c", WATCH, json.dumps(HEAVY)],
        input="".join(f"{json.dumps(arguments)}\n" for arguments in commands.values()),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return dict(zip(commands, lines, strict=True))


@pytest.mark.parametrize("command", ["score", "score --offline", "models"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_it_is_refused_and_nothing_is_loaded(
    outcomes: dict[tuple[str, str], list[Any]], folders: Path, attack: str, command: str
) -> None:
    branch, _, words = ATTACKS[attack]
    status, stdout, stderr, seen = outcomes[command, attack]
    assert (status, stdout, seen) == (1, "", [])
    assert stderr.startswith("Error: ") and stderr.count("\n") == 1
    assert words in stderr
    folder = folders / str(list(ATTACKS).index(attack)) / "model"
    assert stderr.startswith(f"Error: {folder}: ")
    remedy = stderr.rpartition("; ")[2]
    assert f"--{branch}-model" in remedy or "remove" in remedy or "file" in remedy
    assert not (folders / "marker").exists()
    assert not list(folders.glob("scores.csv*"))


@pytest.mark.parametrize("attack", ["code of a model", "adapter", "tokenizer of the hub"])
def test_doctor_finds_it(cli: Cli, folders: Path, attack: str) -> None:
    result = cli("doctor", *options(folders, attack))
    assert result.exit_code == 1
    assert ATTACKS[attack][2] in result.stdout
    assert not (folders / "marker").exists()


def test_what_the_watch_looks_for_is_seen(folders: Path, tmp_path: Path) -> None:
    # A check of the tests themselves: a run that loads and one that asks the hub show. It loads
    # nothing that takes seconds: there is another torch, which is no use.
    (tmp_path / "torch.py").write_text("raise ImportError('not this one')\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    told = [["score", str(folders / "m.csv"), "--models=demo"], ["models", "--fetch"]]
    done = subprocess.run(
        [sys.executable, "-c", WATCH, json.dumps(HEAVY)],
        input="".join(f"{json.dumps(arguments)}\n" for arguments in told),
        env={
            **os.environ,
            "PYTHONPATH": path,
            "HF_ENDPOINT": "http://127.0.0.1:9",
            "HF_HOME": str(folders / "none"),
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    loads, asks = (json.loads(line) for line in done.stdout.splitlines())
    assert loads[0] == 1 and "torch" in loads[3]
    assert asks[0] == 1 and any(seen.startswith("socket.connect ") for seen in asks[3])


def test_labels_are_not_counted_up_without_end(cli: Cli, tmp_path: Path, folders: Path) -> None:
    folder = Path(shutil.copytree(DEMO_FOLDER / "speech", tmp_path / "model"))
    with_keys("config.json", id2label=None, num_labels=10**12)(folder)
    result = cli("score", folders / "m.csv", *models("speech", folder))
    assert result.exit_code == 1
    assert "num_labels is 1000000000000, which no classifier has" in result.stderr


# As the hub's repositories have it: what was left there by whoever saved them, and unknown keys.
PUBLISHED: dict[str, dict[str, dict[str, Any]]] = {
    "superb/wav2vec2-base-superb-er": {
        "config.json": {
            "_name_or_path": "facebook/wav2vec2-base",
            "architectures": ["Wav2Vec2ForSequenceClassification"],
            "torch_dtype": "float32",
            "transformers_version": "4.6.0.dev0",
            "gradient_checkpointing": False,
        },
        "preprocessor_config.json": {"feature_extractor_type": "Wav2Vec2FeatureExtractor"},
    },
    "ehcalabres/wav2vec2-lg-xlsr-en-speech-emotion-recognition": {
        "config.json": {
            "_name_or_path": "jonatasgrosman/wav2vec2-large-xlsr-53-english",
            "finetuning_task": "wav2vec2_clf",
            "pooling_mode": "mean",
            "problem_type": "single_label_classification",
            "tokenizer_class": "Wav2Vec2CTCTokenizer",
        },
        "preprocessor_config.json": {"processor_class": "Wav2Vec2ProcessorWithLM"},
        "special_tokens_map.json": {"bos_token": "<s>", "additional_special_tokens": []},
        "tokenizer_config.json": {"tokenizer_class": "Wav2Vec2CTCTokenizer", "auto_map": None},
    },
    "cardiffnlp/twitter-roberta-base-sentiment-latest": {
        "config.json": {
            "_name_or_path": "/home/jupyter/misc/tweeteval/TweetEval_models/roberta-base-sent",
            "attn_implementation": "sdpa",
            "_attn_implementation_autoset": True,
            "quantization_config": None,
        },
        "special_tokens_map.json": {
            "mask_token": {"content": "<mask>", "lstrip": True, "normalized": False},
        },
    },
    "j-hartmann/emotion-english-distilroberta-base": {
        "tokenizer_config.json": {
            "name_or_path": "distilroberta-base",
            "special_tokens_map_file": __file__,
            "tokenizer_file": __file__,
            "vocab_file": "/no/such/folder/vocab.json",
            "init_inputs": [],
            "trust_remote_code": False,
        },
    },
    "Systran/faster-whisper-large-v3": {
        "preprocessor_config.json": {
            "feature_extractor_type": "WhisperFeatureExtractor",
            "processor_class": "WhisperProcessor",
        },
    },
}  # fmt: skip
BRANCH_OF = dict(zip(PUBLISHED, ["speech", "speech", "text", "text", "asr"], strict=True))


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_published_checkpoints_have_left_over_is_no_matter(
    cli: Cli, tmp_path: Path, name: str
) -> None:
    branch = BRANCH_OF[name]
    folder = Path(shutil.copytree(DEMO_FOLDER / DEMO_FOLDERS[branch], tmp_path / "model"))
    for file, keys in PUBLISHED[name].items():
        with_keys(file, **keys)(folder)
    save(tmp_path / "a.wav", tone(0.5))
    (tmp_path / "m.csv").write_text("path,transcript\na.wav,\n")
    told = models(branch, folder)
    assert cli("models", *told).exit_code == 0
    result = cli("score", tmp_path / "m.csv", *told)
    assert result.exit_code == 0, result.stderr
    assert ",ok," in result.stdout


def test_links_within_the_hubs_cache_are_its_own(tmp_path: Path) -> None:
    home = tmp_path / "models--some--model"
    folder = home / "snapshots" / "0123"
    shutil.copytree(DEMO_FOLDER / "speech", home / "blobs")
    folder.mkdir(parents=True)
    for file in (home / "blobs").iterdir():
        (folder / file.name).symlink_to(Path("../../blobs") / file.name)
    assert find(str(folder), "speech") is not None
    (folder / "config.json").unlink()
    (folder / "config.json").symlink_to(DEMO_FOLDER / "speech" / "config.json")
    with pytest.raises(CheckpointError, match="a link out of the folder"):
        find(str(folder), "speech")


def test_a_files_name_within_the_folder_may_be_given_anyhow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(DEMO_FOLDER / "sentiment", tmp_path / "model"))
    with_keys("tokenizer_config.json", vocab_file="tokenizer.json")(folder)
    monkeypatch.chdir(folder)
    assert find(".", "text") is not None


def test_what_was_fetched_is_looked_at_too(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(DEMO_FOLDER / "speech", tmp_path / "speech"))
    with_keys("config.json", auto_map=CODE)(folder)
    told = ["--models=demo", "--speech-model=evil/model"]
    with serve({"evil/model": folder}) as hub:
        environment = {**os.environ, "HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path / "cache")}
        for fetch in (["--fetch"], []):  # as it comes, and from the cache
            command = [sys.executable, "-m", "emobatch", "models", *fetch, *told]
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            assert (done.returncode, done.stdout) == (1, "")
            *_, last = done.stderr.splitlines()  # before it, what is fetched
            assert last.startswith("Error: evil/model: config.json: `auto_map` names code")


def test_whoever_loads_a_folder_asks_no_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Even where nobody has looked at it: faster-whisper would fetch what is missing.
    from emobatch.models import devices
    from emobatch.models.whisper import Whisper

    folder = Path(shutil.copytree(DEMO_FOLDER / "asr", tmp_path / "asr"))
    without_tokenizer(folder)
    asked: list[object] = []

    def ask(*told: object, **_: object) -> None:
        asked.append(told)
        raise OSError("no network here")

    monkeypatch.setattr(socket, "getaddrinfo", ask)
    monkeypatch.setattr(socket.socket, "connect", ask)
    with pytest.raises(CheckpointError, match="can't be loaded"):
        Whisper(Checkpoint("x", folder, None, "--asr-model"), devices.choose("cpu"))
    assert asked == []
