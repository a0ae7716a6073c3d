"""Files decoded in processes of their own: what one of them does costs its own row."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import crashing
import numpy as np
import polars as pl
import pytest
from click.testing import Result
from sounds import save, tone

from emobatch.doctor.decoders import decode_all
from emobatch.errors import ExaminationError
from emobatch.manifests import decoders as module
from emobatch.manifests import manifest
from emobatch.manifests.blocks import Sound
from emobatch.manifests.clip import Clip
from emobatch.manifests.decoders import Decoders
from emobatch.manifests.orders import lengths
from emobatch.manifests.reading import Reading
from emobatch.manifests.segments import voice_activity
from emobatch.manifests.segments.cutting import Cutting
from emobatch.reporting import sounds
from emobatch.scoring.decoding import decode
from emobatch.scoring.utterances import Utterance

DECODERS = True
ABORTED = "audio: its decoder ended with SIGABRT; convert the file to another format: "


@pytest.fixture(scope="module")
def decoders() -> Iterator[Decoders]:
    decoders = Decoders(2, crashing.ENTRY)
    yield decoders
    decoders.close()


def utterances(files: list[Path]) -> list[Utterance]:
    return [Utterance(Clip(file.name, file, None, None, None), file.name) for file in files]


def wait_for(what: Callable[[], bool], said: str) -> None:
    until = time.monotonic() + 60
    while not what():
        assert time.monotonic() < until, said
        time.sleep(0.01)


def is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def processes(decoders: Decoders) -> list[int]:
    return [child.process.pid for child in decoders._all]


def test_files_come_as_they_do_without_processes(decoders: Decoders, tmp_path: Path) -> None:
    tones = enumerate(tone(seconds, 22_050) for seconds in (70, 1, 0.01, 31, 2))
    files = [save(tmp_path / f"{n}.flac", samples, 22_050) for n, samples in tones]
    files.append(tmp_path / "no.wav")
    here, there = utterances(files), utterances(files)
    expected = [(each.utterance.id, each.samples) for each in decode(here, 60)]
    found = [(each.utterance.id, each.samples) for each in decode(there, 60, 1e9, decoders)]
    assert [name for name, _ in found] == [name for name, _ in expected]
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(found, expected, strict=True))
    assert all(samples.flags.writeable for _, samples in found)
    assert [each.error for each in there] == [each.error for each in here]
    assert sum(each.error is not None for each in there) == 2


def test_a_decoder_that_ends_its_process_costs_its_own_row(
    decoders: Decoders, tmp_path: Path
) -> None:
    names = ["a", "crash1", "b", "late", "once", "crash2", "c"]
    files = [save(tmp_path / f"{name}.wav", tone(1.0)) for name in names]
    asked = utterances(files)
    heard = [each.utterance.id for each in decode(asked, 60, 1e9, decoders)]
    # What was handed on before the process ended isn't handed on again.
    assert heard == ["a.wav", "b.wav", "late.wav", "once.wav", "c.wav"]
    errors = {each.id: each.error for each in asked if each.error}
    assert errors == {name: ABORTED + name for name in ("crash1.wav", "late.wav", "crash2.wav")}
    assert len(decoders._all) <= 2


def test_a_decoder_that_hangs_is_ended(decoders: Decoders, tmp_path: Path) -> None:
    whole = save(tmp_path / "whole.wav", tone(1.0))
    stuck = [tmp_path / f"stuck{n}.wav" for n in range(3)]
    asked = utterances([stuck[0], whole, *stuck[1:], whole])
    before = processes(decoders)
    heard = [each.utterance.id for each in decode(asked, 0.5, 1e9, decoders)]
    assert heard.count("whole.wav") == 2
    failed = [each.error for each in asked if each.error]
    assert failed[0] == "audio: nothing more could be read of it in 0.5 s: stuck0.wav"
    assert len(failed) == 3
    wait_for(lambda: not any(map(is_there, before)), "a decoder that hangs is still there")


def test_a_header_that_ends_its_decoder_costs_its_own_file(
    decoders: Decoders, tmp_path: Path
) -> None:
    names = ["a", "slow", "crash1", "b", "once", "crash2", "crash3", "no", "c"]
    for name in names:
        if name != "no":
            save(tmp_path / f"{name}.wav", tone(1.5))
    files = [each.clip for each in utterances([tmp_path / f"{name}.wav" for name in names])]
    found = dict(zip(names, lengths(decoders, files, 60), strict=True))
    crashed = ABORTED.removeprefix("audio: ").removesuffix(": ")
    assert found == {
        **dict.fromkeys(names, 1.5),
        **dict.fromkeys(("crash1", "crash2", "crash3"), crashed),
        "no": "no such file",
    }


def test_who_has_measured_files_leaves_the_decoder_to_others(tmp_path: Path) -> None:
    file = save(tmp_path / "a.wav", tone(1.5))
    clips = [each.clip for each in utterances([file] * 3)]
    with Decoders(1) as ours:
        assert list(islice(lengths(ours, clips, 60), len(clips))) == [1.5] * 3
        first = processes(ours)
        assert list(lengths(ours, clips, 60)) == [1.5] * 3
        assert processes(ours) == first and is_there(first[0])


def test_a_header_that_hangs_costs_its_own_file(decoders: Decoders, tmp_path: Path) -> None:
    names = ["a", "stuck", "b"]
    files = [save(tmp_path / f"{name}.wav", tone(1.5)) for name in names]
    found = [*lengths(decoders, [each.clip for each in utterances(files)], 0.5)]
    assert found == [1.5, "nothing more could be read of it in 0.5 s", 1.5]


def test_of_no_file_no_decoder_is_started() -> None:
    with Decoders(1, crashing.ENTRY) as ours:
        assert list(lengths(ours, [], 60)) == [] and not ours._all


def test_a_file_that_ended_a_decoder_isnt_read_here_where_no_other_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would end this process."""
    with Decoders(1, crashing.ENTRY) as ours:
        ours.wait_for_one()
        monkeypatch.setattr(ours, "_entry", "nowhere:serve")
        file = save(tmp_path / "late.wav", tone(1.0))
        (asked,) = utterances([file])
        assert len(list(decode([asked], 60, 1e9, ours))) == 1, "what it gave before"
        assert asked.error == ABORTED + "late.wav"


def test_nothing_waits_when_nobody_asks_any_more(tmp_path: Path) -> None:
    ours = Decoders(2, crashing.ENTRY)
    asked = utterances([save(tmp_path / "a.wav", tone(1.0)), *[tmp_path / "stuck.wav"] * 9])
    windows = decode(asked, 600, 1e9, ours)
    next(windows)
    windows.close()  # as a signal does
    ours.close()
    assert not ours._waiting or all(turn.is_cancelled for turn in ours._waiting)
    wait_for(lambda: not any(map(is_there, processes(ours))), "a decoder is left")


def test_what_is_in_memory_needs_none() -> None:
    ours = Decoders(1, "nowhere:serve")
    clip = Clip("array 0", Path("array 0"), None, None, None, sound=Sound(tone(1.0), 16_000))
    (window,) = decode([Utterance(clip, "0")], 60, 1e9, ours)
    assert np.array_equal(window.samples, tone(1.0))
    ours.close()


def test_where_none_can_start_files_are_decoded_here(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ours = Decoders(2, "nowhere:serve")
    asked = utterances([save(tmp_path / "a.wav", tone(1.0))] * 2)
    assert len(list(decode(asked, 60, 1e9, ours))) == 2
    assert ours.is_broken and "files are decoded in this process" in caplog.text
    ours.close()


def test_a_few_files_start_one_and_many_no_more_than_there_are_cores(tmp_path: Path) -> None:
    ours = Decoders(2)
    file = save(tmp_path / "a.wav", tone(0.1))
    for count, most in ((module.ORDERS_EACH - 1, 1), (40, 2)):
        assert len(list(decode(utterances([file] * count), 60, 1e9, ours))) == count
        assert len(ours._all) == most
    ours.close()


def test_a_run_goes_on_beside_a_decoder_that_crashes(
    cli: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ENTRY", crashing.ENTRY)
    names = ["a.wav", "crash.wav", "b.wav"]
    for name in names:
        save(tmp_path / name, tone(0.3))
    (tmp_path / "m.csv").write_text("path\n" + "\n".join(names))
    target = tmp_path / "s.parquet"
    command = ("score", tmp_path / "m.csv", "-o", target, "--models=demo", "--max-error-rate=1")
    assert cli(*command).exit_code == 0
    table = pl.read_parquet(target)
    assert table["status"].to_list() == ["ok", "error", "ok"]
    assert table["error"][1] == ABORTED + "crash.wav"


def test_a_plan_is_made_beside_a_header_that_ends_its_decoder(
    cli: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ENTRY", crashing.ENTRY)
    for name in ("a.wav", "crash.wav", "stuck.wav", "b.wav"):
        save(tmp_path / name, tone(1.5))
    (tmp_path / "m.csv").write_text("path\na.wav\ncrash.wav\nstuck.wav\nb.wav\n")
    result = cli("plan", tmp_path / "m.csv", "--no-sample", "--json", "--decode-timeout=0.5")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert (found["seconds"], found["headers"]) == (3.0, 2)
    assert {each["path"]: each["error"] for each in found["unreadable"]} == {
        "crash.wav": ABORTED.removeprefix("audio: ").removesuffix(": "),
        "stuck.wav": "nothing more could be read of it in 0.5 s",
    }


def test_a_table_is_verified_beside_a_decoder_that_crashes(
    cli: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["a.wav", "crash.wav", "b.wav"]
    for name in names:
        save(tmp_path / name, tone(0.3))
    (tmp_path / "m.csv").write_text("path\n" + "\n".join(names))
    target = tmp_path / "s.parquet"
    assert cli("score", tmp_path / "m.csv", "-o", target, "--models=demo").exit_code == 0
    monkeypatch.setattr(module, "ENTRY", crashing.ENTRY)
    result = cli("verify", target, "--json")
    assert result.exit_code == 1
    (difference,) = json.loads(result.stdout)["differences"]
    assert (difference["id"], difference["column"]) == ("crash.wav", "error")
    assert difference["again"] == ABORTED + "crash.wav"


def test_recordings_are_cut_beside_one_that_ends_its_decoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "ENTRY", crashing.ENTRY)
    monkeypatch.setattr(voice_activity, "_speech", lambda samples: [(0, len(samples))])
    for name in ("a", "late", "b"):
        save(tmp_path / f"{name}.wav", tone(1.5))
    (tmp_path / "m.csv").write_text("path\na.wav\nlate.wav\nb.wav\n")
    by_voice = Reading(cutting=Cutting(by="vad"))
    rows = manifest.read(str(tmp_path / "m.csv"), by_voice).frame(0, 9)
    # What is left whole fails where it is scored, which says why.
    assert rows["id"].to_list() == ["a.wav#0-1.5", "late.wav", "b.wav#0-1.5"]
    ended = ABORTED.removeprefix("audio: ").removesuffix(": ")
    assert f"note: late.wav: not cut: {ended}" in caplog.text


def test_a_page_is_heard_beside_a_clip_that_ends_its_decoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ENTRY", crashing.ENTRY)
    names = ["a.wav", "crash.wav", "b.wav"]
    for name in names:
        save(tmp_path / name, tone(1.5))
    found = sounds.sounds(pl.DataFrame({"path": names}), tmp_path)
    assert [source is not None for source in found.sources] == [True, False, True]
    ended = ABORTED.removeprefix("audio: ").removesuffix(": ")
    assert f"; 1 can't be read ({ended}: crash.wav)" in found.says


def test_a_library_that_crashes_is_found_before_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENTRY", crashing.OF_MP3)
    with pytest.raises(ExaminationError, match=r"^mp3: its decoder ended with SIGABRT; reinstall"):
        decode_all()
