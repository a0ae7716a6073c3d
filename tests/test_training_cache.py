"""Decoded audio that training keeps: given back as it was or not at all, to several threads."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emobatch.errors import OutputError
from emobatch.manifests.clip import Clip
from emobatch.training.cache import Cache

SAMPLES = np.linspace(-1, 1, 6400, dtype=np.float32)


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    file = tmp_path / "a.wav"
    file.write_bytes(b"as it is")
    return Clip("a.wav", file, None, None, None)


@pytest.fixture
def cache(tmp_path: Path, clip: Clip) -> Cache:
    made = Cache(tmp_path / "cache")
    made.put(clip, SAMPLES)
    return made


@pytest.fixture
def hurried() -> Iterator[None]:
    """Threads change places, and rubbish is collected, as often as can be."""
    interval, threshold = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-6)
    gc.set_threshold(10, 2, 2)
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*threshold)


def kept(cache: Cache) -> Path:
    [file] = [each for each in cache.folder.rglob("*") if each.is_file()]
    return file


def test_samples_come_back_in_every_bit(cache: Cache, clip: Clip) -> None:
    found = cache.get(clip)
    assert found is not None
    assert found.dtype == np.float32
    assert found.tobytes() == SAMPLES.tobytes()


@pytest.mark.usefixtures("hurried")
def test_threads_read_at_a_time(cache: Cache, clip: Clip) -> None:
    """As NumPy's own format can't be up to Python 3.11.7: of 3,000 reads some 70 failed so."""

    class Rubbish:
        """Lets another thread go first whenever it is collected."""

        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            time.sleep(0)

    def read(_: int) -> bool:
        Rubbish()
        return np.array_equal(SAMPLES, cache.get(clip))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(read, range(3000)))


def test_segments_of_a_file_are_kept_apart(cache: Cache, clip: Clip) -> None:
    part = replace(clip, start=0.1, end=0.2)
    assert cache.get(part) is None
    cache.put(part, SAMPLES[1600:3200])
    found = cache.get(part)
    assert found is not None
    assert np.array_equal(found, SAMPLES[1600:3200])


def test_an_edited_file_is_not_taken_for_what_it_was(
    cache: Cache, clip: Clip, tmp_path: Path
) -> None:
    os.utime(tmp_path / "a.wav", ns=(0, 1))
    assert cache.get(clip) is None


@pytest.mark.parametrize("length", [0, 4, 100, -4])
def test_a_file_cut_short_is_as_good_as_none(cache: Cache, clip: Clip, length: int) -> None:
    file = kept(cache)
    file.write_bytes(file.read_bytes()[:length])
    assert cache.get(clip) is None


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path, clip: Clip) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(OutputError, match="name a folder with space"):
        Cache(tmp_path / "cache").put(clip, SAMPLES)
