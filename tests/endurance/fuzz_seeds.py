"""Good data sets of each form that the readers take, and what reads them, for `fuzz_sources.py`."""

from __future__ import annotations

import gzip
import io
import json
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path

import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from fuzz import MANIFEST

from emobatch.manifests import manifest
from emobatch.manifests.corpora.build import build
from emobatch.manifests.fetching import Fetcher
from emobatch.manifests.reading import Reading
from emobatch.manifests.segments.cutting import Cutting

Files = Mapping[str, bytes]
SOURCES = Path(__file__).parents[1] / "data" / "sources"
# What a reader of such a form does with a folder that has the files.
Read = Callable[[Path], object]


def read(folder: Path, name: str = "", form: str | None = None) -> object:
    return manifest.read(str(folder / name), Reading(form=form))


def read_corpus(folder: Path, name: str) -> object:
    return build(name, folder).rows.collect()


def read_segments(folder: Path, name: str) -> object:
    rows = pl.LazyFrame({"path": ["a.wav", "b.wav"]})
    with Fetcher() as fetcher:
        return Cutting(folder / name).cut(rows, folder, fetcher, confine=False).collect()


def read_packed(folder: Path) -> object:
    target = folder / "packed.tar"
    files = sorted(file for file in folder.iterdir() if file != target)
    target.write_bytes(packed({file.name: file.read_bytes() for file in files}))
    return read(folder, target.name, "tar")


def packed(files: Files) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    return content.getvalue()


def tables() -> Iterator[tuple[str, str, bytes]]:
    """A name, a file's name and its content, of each way to write a table."""
    for what, between in {"commas": ",", "semicolons": ";", "tabs": "\t", "bars": "|"}.items():
        yield f"csv {what}", "m.csv", MANIFEST.replace(",", between).encode()
    yield "tsv", "m.tsv", MANIFEST.replace(",", "\t").encode("utf-8-sig")
    yield "csv UTF-16", "m.csv", MANIFEST.encode("utf-16")
    yield "csv UTF-16, no mark", "m.csv", MANIFEST.encode("utf-16-be")
    yield "csv sep=", "m.csv", b"sep=;\r\n" + MANIFEST.replace(",", ";").encode()
    yield "csv CR", "m.csv", MANIFEST.replace("\n", "\r").encode()
    table, parquet = pl.read_csv(MANIFEST.encode()), io.BytesIO()
    yield "json lines", "m.jsonl", table.write_ndjson().encode()
    yield "json lines UTF-16", "m.jsonl", table.write_ndjson().encode("utf-16")
    table.write_parquet(parquet)
    yield "parquet", "m.parquet", parquet.getvalue()


@cache
def seeds() -> dict[str, tuple[Files, Read]]:
    """A good data set of each form, and what reads it."""
    from test_cli_manifest import CASES
    from test_readers import EMOBOX, KALDI, NEMO
    from test_segments import FILES

    kaldi = {name.replace("_", "."): text.encode() for name, text in KALDI.items()}
    cuts = gzip.decompress((SOURCES / "cuts.jsonl.gz").read_bytes())
    emobox = "".join(json.dumps(row) + "\n" for row in EMOBOX).encode()
    metadata = b"file_name,transcription,label\nsub/a.wav,hello,sad\nb.wav,,\n"
    lines = b'{"file_name": "a.wav", "text": "hi", "label": 1}\n'
    database = {file.name: file.read_bytes() for file in (SOURCES / "audformat").iterdir()}
    members = {"a.wav": b"x", "a.txt": b"hello", "a.cls": b"2", "a.json": b'{"speaker": "f1"}'}
    found: dict[str, tuple[Files, Read]] = {
        name: ({file: content}, partial(read, name=file)) for name, file, content in tables()
    }
    found |= {
        "audio": ({"a.wav": b"", "b/c.FLAC": b"", "notes.txt": b""}, partial(read, form="audio")),
        "kaldi": (kaldi, partial(read, form="kaldi")),
        "nemo": ({"m.json": NEMO.encode()}, partial(read, name="m.json", form="nemo")),
        "emobox": ({"m.jsonl": emobox}, partial(read, name="m.jsonl", form="emobox")),
        "lhotse": ({"c.jsonl": cuts}, partial(read, name="c.jsonl", form="lhotse")),
        "lhotse gz": (
            {"c.jsonl.gz": gzip.compress(cuts, mtime=0)},
            partial(read, name="c.jsonl.gz", form="lhotse"),
        ),
        "audiofolder": ({"metadata.csv": metadata}, partial(read, form="audiofolder")),
        "audiofolder splits": (
            {"train/metadata.jsonl": lines, "data/eval/metadata.csv": metadata},
            partial(read, form="audiofolder"),
        ),
        "audformat": (database, partial(read, form="audformat")),
        "tar": ({"s.tar": packed(members)}, partial(read, name="s.tar", form="tar")),
        "tar members": (members, read_packed),
    }
    for name, (content, _) in FILES.items():
        raw = content.encode() if isinstance(content, str) else content
        found[f"segments {name}"] = ({name: raw}, partial(read_segments, name=name))
    for name, (contents, *_) in CASES.items():
        files = {
            path: text.encode() if isinstance(text, str) else text or b""
            for path, text in contents.items()
        }
        found[name] = (files, partial(read_corpus, name=name))
    return found
