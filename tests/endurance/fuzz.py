"""Feeds broken files to the readers: `python tests/endurance/fuzz.py --inputs 100000`.

Each reader gets files made from good ones by cutting, doubling, swapping and overwriting pieces of
them. It may give a result or one of emobatch's own errors in one line. Any other exception ends the
run and leaves the input behind; where Polars ends the process itself, that is counted.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))

from emobatch.errors import EmobatchError
from emobatch.fusion import file as thresholds
from emobatch.fusion.apply import apply
from emobatch.manifests import manifest
from emobatch.manifests.clips import clips

Reader = Callable[[Path], object]

MANIFEST = (
    "path,id,start,end,label,transcript,note\n"
    'a.wav,1,,,ang,"well, hello",=1+1\n'
    "b.wav,2,0.5,1.5,hap,,007\n"
    "sub/c.wav,3,,2,,said,x\n"
)
SCORES = (
    "id,label,speech_angry,speech_happy,speech_neutral,speech_sad,sentiment,sentiment_score\n"
    "1,ang,0.7,0.1,0.1,0.1,negative,0.9\n"
    "2,neu,0.3,0.2,0.3,0.2,positive,0.5\n"
    "3,,,,,,,\n"
)
THRESHOLDS = """\
format = 1
exclusions = [["happy", "neutral"]]

[thresholds.angry]
entropy = 0.9197
varentropy = 0.4298
mapping = "simple"
sentiment = 0.35
flip = true
detection_accuracy = 68.42
flagged = 38
detected = 26

[thresholds.sad]
reason = "only 2 rows"

[fitted]
rows = 5000
"""
# What readers stumble over.
PIECES = (
    *(
        b"\0",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xe9",
        "\N{GRINNING FACE}".encode(),
        b"PAR1",
        b"9" * 400,
    ),
    *(b"\r", b"\r\n", b"\n\n", b'"', b'""', b"'", b",", b",,,,", b"\t", b"x," * 300),
    *(b"nan", b"inf", b"-1", b"1e999", b"null", b"true", b"[[", b"]", b"{", b"}", b"=", b"#"),
    *(b"path", b"id", b"label", b"speech_sad", b"entropy", b"*", b"^p.*$"),
)


def mutate(content: bytes, dice: random.Random) -> bytes:
    """Break a file in up to three places."""
    broken = bytearray(content)
    for _ in range(dice.randint(1, 3)):
        at = dice.randint(0, len(broken))
        to = min(len(broken), at + dice.choice((1, 2, 8, 40)))
        kind = dice.randrange(6)
        if kind == 0:
            del broken[at:to]
        elif kind == 1:
            broken[at:at] = broken[at:to]
        elif kind == 2:
            broken[at:to] = dice.randbytes(to - at)
        elif kind == 3:
            broken[at:at] = dice.choice(PIECES)
        elif kind == 4:
            broken[at:to] = dice.choice(PIECES)
        elif at:
            del broken[at:]
    return bytes(broken)


def read_manifest(file: Path) -> object:
    read = manifest.read(str(file))
    return list(clips(read.frame(0, len(read)), read.root)), read.digest()


def read_scores(file: Path) -> object:
    fitted = file.with_name("fitted.toml")
    fitted.write_text(THRESHOLDS)
    return apply([str(file)], fitted, file.with_name("final.parquet"))


def read_thresholds(file: Path) -> object:
    return thresholds.read(file)


def seeds(folder: Path) -> Iterator[tuple[str, Reader, bytes]]:
    """Good files: format, reader and content."""
    for text, reader in ((MANIFEST, read_manifest), (SCORES, read_scores)):
        yield ".csv", reader, text.encode()
        yield ".tsv", reader, text.replace(",", "\t").encode()
        table = pl.read_csv(text.encode())
        for extension, write in ((".jsonl", table.write_ndjson), (".parquet", table.write_parquet)):
            write(folder / f"seed{extension}")
            yield extension, reader, (folder / f"seed{extension}").read_bytes()
    yield ".toml", read_thresholds, THRESHOLDS.encode()


def check(reader: Reader, file: Path) -> bool:
    """Whether the reader takes the file; ends the run if it does neither that nor refuse it."""
    try:
        reader(file)
    except EmobatchError:
        return False
    except BaseException as error:
        raise SystemExit(f"{file} is kept: {type(error).__name__}: {error}") from error
    return True


def run(seed: int, folder: Path, place: int, numbers: range) -> Iterator[bool]:
    """Whether each of these inputs, made of one of the good files, is taken."""
    extension, reader, content = list(seeds(folder))[place]
    file = folder / f"input{extension}"
    for number in numbers:
        file.write_bytes(mutate(content, random.Random(f"{seed} {place} {number}")))
        yield check(reader, file)


def watched(inputs: int, seed: int, folder: Path, place: int) -> tuple[int, int]:
    """How many inputs were taken, and at how many the process itself ended.

    In a process of its own, for Polars ends it on some damaged Parquet files.
    """
    answers = b""
    ended = 0
    while len(answers) < inputs:
        command = [sys.executable, __file__, "--inputs", inputs, "--seed", seed]
        command += ["--child", folder, place, len(answers)]
        child = subprocess.run([*map(str, command)], stdout=subprocess.PIPE, check=False)
        answers += child.stdout
        if child.returncode < 0:
            answers += b"!"
            ended += 1
        elif child.returncode:
            raise SystemExit(child.returncode)
    return answers.count(b"1"), ended


@click.command()
@click.option("--inputs", default=100_000, show_default=True, help="For each reader.")
@click.option("--seed", default=0, show_default=True)
@click.option("--child", nargs=3, type=(Path, int, int), hidden=True)
def main(inputs: int, seed: int, child: tuple[Path, int, int] | None) -> None:
    """Print how many inputs were read, and how many refused."""
    if child is not None:
        folder, place, first = child
        for taken in run(seed, folder, place, range(first, inputs)):
            sys.stdout.write("01"[taken])
            sys.stdout.flush()
        return
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    good = list(seeds(folder))
    for place, (extension, reader, _) in enumerate(good):
        share = inputs // sum(each is reader for _, each, _ in good)
        taken, ended = watched(share, seed, folder, place)
        click.echo(
            f"{reader.__name__} {extension}: {share} inputs, {taken} read, "
            f"{share - taken - ended} refused in one line, {ended} ended the process"
        )
    shutil.rmtree(folder)
    click.echo(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
