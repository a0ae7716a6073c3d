"""Feeds damaged data sets to the readers: `python tests/endurance/fuzz_sources.py --inputs 100000`.

Each form gets data sets made from a good one, one file of which is cut, doubled, swapped or
overwritten in places. It may be read, or refused with one of emobatch's own errors in one line. Any
other exception ends the run and leaves the input behind. `--cores` processes share the work.
"""

from __future__ import annotations

import gzip
import io
import json
import logging
import random
import shutil
import sys
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from fuzz import MANIFEST, mutate

from emobatch.errors import EmobatchError
from emobatch.manifests import manifest
from emobatch.manifests.corpora.build import build
from emobatch.manifests.segments.cutting import Cutting

Files = Mapping[str, bytes]
SOURCES = Path(__file__).parents[1] / "data" / "sources"
# What a reader of such a form does with a folder that has the files.
Read = Callable[[Path], object]


def read(folder: Path, name: str = "", form: str | None = None) -> object:
    found = manifest.read(str(folder / name), form=form)
    return found.digest()


def read_corpus(folder: Path, name: str) -> object:
    return build(name, folder).rows.collect()


def read_segments(folder: Path, name: str) -> object:
    (folder / "m.csv").write_text("path\na.wav\nb.wav\n")
    return manifest.read(str(folder / "m.csv"), cutting=Cutting(folder / name)).digest()


def seeds() -> dict[str, tuple[Files, Read]]:
    """A good data set of each form, and what reads it."""
    from test_cli_manifest import CASES
    from test_readers import EMOBOX, KALDI, NEMO
    from test_segments import FILES

    kaldi = {name.replace("_", "."): text.encode() for name, text in KALDI.items()}
    cuts = gzip.decompress((SOURCES / "cuts.jsonl.gz").read_bytes())
    emobox = "".join(json.dumps(row) + "\n" for row in EMOBOX).encode()
    metadata = b"file_name,transcription,label\nsub/a.wav,hello,sad\nb.wav,,\n"
    database = {file.name: file.read_bytes() for file in (SOURCES / "audformat").iterdir()}
    found: dict[str, tuple[Files, Read]] = {
        "table ;": ({"m.csv": MANIFEST.replace(",", ";").encode()}, partial(read, name="m.csv")),
        "table UTF-16": ({"m.csv": MANIFEST.encode("utf-16")}, partial(read, name="m.csv")),
        "kaldi": (kaldi, partial(read, form="kaldi")),
        "nemo": ({"m.json": NEMO.encode()}, partial(read, name="m.json", form="nemo")),
        "emobox": ({"m.jsonl": emobox}, partial(read, name="m.jsonl", form="emobox")),
        "lhotse": ({"c.jsonl": cuts}, partial(read, name="c.jsonl", form="lhotse")),
        "lhotse gz": (
            {"c.jsonl.gz": gzip.compress(cuts, mtime=0)},
            partial(read, name="c.jsonl.gz", form="lhotse"),
        ),
        "audiofolder": ({"metadata.csv": metadata}, partial(read, form="audiofolder")),
        "audformat": (database, partial(read, form="audformat")),
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in ("a.wav", "a.txt", "a.json", "b/c.flac"):
            text = b'{"speaker": "f1"}' if name == "a.json" else b"hello"
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    found["tar"] = ({"s.tar": packed.getvalue()}, partial(read, name="s.tar", form="tar"))
    for name, (content, _) in FILES.items():
        raw = content.encode() if isinstance(content, str) else content
        found[f"segments {name}"] = ({name: raw}, partial(read_segments, name=name))
    for name in ("iemocap", "msp-improv", "msp-podcast", "crema-d", "meld", "esd"):
        files = {
            path: text.encode() if isinstance(text, str) else text or b""
            for path, text in CASES[name][0].items()
        }
        found[name] = (files, partial(read_corpus, name=name))
    return found


def attempt(files: Files, reader: Read, dice: random.Random, folder: Path) -> bool:
    """Whether an input is read; ends the run if it is neither that nor refused."""
    hit = dice.choice([path for path, content in files.items() if content])
    shutil.rmtree(folder, ignore_errors=True)
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(mutate(content, dice) if path == hit else content)
    try:
        reader(folder)
    except EmobatchError as error:
        if "\n" in str(error).strip():
            raise SystemExit(f"{folder} is kept: more than a line: {error}") from error
        return False
    except BaseException as error:
        raise SystemExit(f"{folder} is kept: {type(error).__name__}: {error}") from error
    return True


def run(name: str, seed: int, numbers: range, folder: Path) -> Iterator[bool]:
    """Whether each of these inputs is read."""
    files, reader = seeds()[name]
    for number in numbers:
        yield attempt(files, reader, random.Random(f"{seed} {name} {number}"), folder)


def share(name: str, seed: int, first: int, inputs: int, step: int) -> Counter[bool]:
    logging.disable()
    folder = Path(tempfile.mkdtemp(prefix="fuzz-")) / "data"
    found = Counter(run(name, seed, range(first, inputs, step), folder))
    shutil.rmtree(folder.parent)
    return found


@click.command()
@click.option("--inputs", default=100_000, show_default=True, help="Over all forms.")
@click.option("--seed", default=0, show_default=True)
@click.option("--cores", default=1, show_default=True)
@click.option("--form", "forms", multiple=True, help="Only these.")
def main(inputs: int, seed: int, cores: int, forms: tuple[str, ...]) -> None:
    """Print how many inputs were read, and how many refused."""
    began = time.monotonic()
    names = forms or tuple(seeds())
    each = -(-inputs // len(names))
    with ProcessPoolExecutor(cores) as pool:
        for name in names:
            jobs = [pool.submit(share, name, seed, core, each, cores) for core in range(cores)]
            found = sum((job.result() for job in jobs), Counter())
            click.echo(f"{name}: {each} inputs, {found[True]} read, {found[False]} refused")
    click.echo(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
