"""Manifests and audio in a bucket, of a server on this machine that speaks as S3 does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sounds import save, tone

from emobatch.errors import AudioError
from emobatch.manifests import manifest
from emobatch.manifests.clip import read
from emobatch.manifests.clips import clips
from emobatch.manifests.fetching import Fetcher
from emobatch.manifests.reading import Reading
from emobatch.splits.audit import audit
from emobatch.splits.folds import folds
from emobatch.storage.access import Access
from emobatch.storage.address import Address

s3fs = pytest.importorskip("s3fs", reason="needs `pip install 'emobatch[remote]'`")
server = pytest.importorskip("moto.server", reason="needs `pip install 'moto[server]'`")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    serving = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    serving.start()
    host, port = serving.get_host_and_port()
    yield f"http://{host}:{port}"
    serving.stop()


@pytest.fixture
def bucket(endpoint: str, tmp_path: Path) -> str:
    """A bucket with a manifest, and two of its three clips; found by the usual variables."""
    os.environ |= {
        **{"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "a"},
        **{"AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"},
    }
    files = s3fs.S3FileSystem(skip_instance_cache=True)
    name = f"corpus-{tmp_path.name.replace('_', '-')}"[:60].rstrip("-").lower()
    files.mkdir(name)
    for n in range(2):
        files.put(str(save(tmp_path / f"{n}.wav", tone(1.0 + n))), f"{name}/set/a b/{n}.wav")
    files.pipe(f"{name}/set/m.csv", b"path\na b/0.wav\na b/1.wav\na b/2.wav\n")
    return f"s3://{name}"


def test_a_manifest_in_a_bucket_finds_its_audio(bucket: str, tmp_path: Path) -> None:
    rows = manifest.read(f"{bucket}/set/m.csv")
    assert rows.root == Address(f"{bucket}/set")
    found: list[int | str] = []
    with Fetcher(rows.access) as fetcher:
        for clip in clips(rows.frame(0, 9), rows.root):
            try:
                with fetcher.here(clip) as here:
                    found.append(len(np.concatenate(list(read(here, 1e9)))))
            except AudioError as error:
                found.append(str(error))
    assert found == [16_000, 32_000, "no such file"]


def test_a_folder_in_a_bucket_is_a_row_for_each_file(bucket: str) -> None:
    rows = manifest.read(f"{bucket}/set")
    assert rows.frame(0, 9)["path"].to_list() == ["a b/0.wav", "a b/1.wav"]
    assert len(manifest.read(f"{bucket}/set", Reading(pattern="**/*1.wav"))) == 1


def test_folds_and_leakage_read_a_manifest_in_a_bucket(bucket: str, tmp_path: Path) -> None:
    rows = "path,speaker,split\n0.wav,a,train\n1.wav,b,val\n2.wav,c,test\n3.wav,a,test\n"
    files, source = s3fs.S3FileSystem(skip_instance_cache=True), f"{bucket}/set/split.csv"
    files.pipe(source.removeprefix("s3://"), rows.encode())
    shared = audit(source).shared
    assert shared.select("kind", "value").rows() == [("speaker", "a")]
    files.pipe(source.removeprefix("s3://"), rows.replace("split", "part").encode())
    folds(source, tmp_path / "folds.csv", scheme="speaker")
    made = pl.read_csv(tmp_path / "folds.csv")
    assert len(made) == 12 and made["path"][0] == f"{bucket}/set/0.wav"


def test_a_bucket_that_is_not_there_fails_its_row(bucket: str) -> None:
    [clip] = clips(pl.DataFrame({"path": ["s3://nobody-has-this/a.wav"]}), Path())
    with Fetcher(Access(allowed=True)) as fetcher, pytest.raises(AudioError, match="no such file"):
        fetcher.fetch(clip)
