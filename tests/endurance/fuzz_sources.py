"""Feeds damaged data sets to the readers: `python tests/endurance/fuzz_sources.py --inputs 100000`.

Each form gets data sets made from a good one: one file of it is cut, doubled, swapped or
overwritten in places, or a value of its JSON is another one, or a file has another name. It may be
read, or refused with one of emobatch's own errors. Any other exception ends the run and leaves the
input behind; where Polars ends the process itself, as on some damaged Parquet files,
that is counted.
"""

from __future__ import annotations

import json
import logging
import math
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from fuzz import PIECES, mutate
from fuzz_seeds import Files, Read, seeds

from emobatch.errors import EmobatchError

# Forms whose readers take many times as long as others, and their share of the inputs of one.
SHARES = {
    **{"audformat": 0.1, "kaldi": 0.5, "audio": 0.3, "tar members": 0.5},
    "audiofolder splits": 0.5,
}
# Values that JSON may have in place of others.
VALUES = (
    None,
    True,
    -1,
    0,
    1e300,
    10**30,
    "",
    " ",
    "x\ny",
    "\ud800",
    "a.wav",
    [],
    [[1]],
    {},
    {"": 0},
)
# A letter for each input, by which it is seen how far a process had come.
REFUSED, READ, ENDED = b"0", b"1", b"!"
KINDS = {"read": READ, "refused": REFUSED, "ended the process": ENDED}
# Where writing files costs least, if it is there.
MEMORY = Path("/dev/shm")


def mutate_json(content: bytes, dice: random.Random) -> bytes:
    """Put another value, or another key, somewhere into one of its objects; else break it."""
    lines = content.split(b"\n")
    place = dice.randrange(len(lines))
    try:
        found = json.loads(lines[place])
        inner: Any = found
        while True:
            keys = list(inner) if isinstance(inner, dict) else range(len(inner))
            key = dice.choice(keys)
            if not isinstance(inner[key], dict | list) or not inner[key] or dice.random() < 0.3:
                break
            inner = inner[key]
        value = inner.pop(key)
        if isinstance(inner, list):
            inner.append(dice.choice(VALUES))
        elif dice.random() < 0.7:
            inner[key] = dice.choice(VALUES)
        elif dice.random() < 0.5:
            inner[dice.choice(PIECES).decode("latin-1")] = value
        lines[place] = json.dumps(found).encode()
    except (ValueError, TypeError, IndexError):
        return mutate(content, dice)
    return b"\n".join(lines)


def damaged(files: Files, dice: random.Random) -> tuple[str, str, bytes]:
    """Which file is damaged, what it is called then, and its content."""
    full = [path for path, content in files.items() if content]
    if not full or dice.random() < 0.2 * (len(files) > 1):
        path = dice.choice([*files])
        name = mutate(Path(path).name.encode(), dice).replace(b"/", b"").replace(b"\0", b"")
        text = os.fsdecode(name[:200])
        renamed = path if text in ("", ".", "..") else str(Path(path).with_name(text))
        return path, renamed, files[path]
    path = dice.choice(full)
    is_json = ".json" in path and not path.endswith(".gz") and dice.random() < 0.6
    return path, path, (mutate_json if is_json else mutate)(files[path], dice)


def write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def attempt(files: Files, reader: Read, dice: random.Random, folder: Path) -> bool:
    """Whether an input is read; ends the run if it is neither that nor refused."""
    path, name, content = damaged(files, dice)
    if name != path and (folder / name).exists():
        name = path
    if name != path:
        (folder / path).unlink()
    write(folder / name, content)
    try:
        reader(folder)
    except EmobatchError:
        is_read = False
    except BaseException as error:
        raise SystemExit(f"{folder} is kept: {type(error).__name__}: {error}") from error
    else:
        is_read = True
    (folder / name).unlink()
    write(folder / path, files[path])
    return is_read


def run(name: str, seed: int, numbers: range, folder: Path) -> Iterator[bool]:
    """Whether each of these inputs is read."""
    files, reader = seeds()[name]
    for path, content in files.items():
        write(folder / path, content)
    for number in numbers:
        yield attempt(files, reader, random.Random(f"{seed} {name} {number}"), folder)


def planned(inputs: int, names: Sequence[str]) -> dict[str, int]:
    """How many inputs each form gets."""
    shares = {name: SHARES.get(name, 1.0) for name in names}
    return {name: math.ceil(inputs * each / sum(shares.values())) for name, each in shares.items()}


def work(plan: Mapping[str, int], seed: int, job: int, jobs: int, done: int) -> None:
    """Write what comes of each input of a job, as it does, but for those that are done."""
    logging.disable()
    for name, inputs in plan.items():
        numbers = range(job, inputs, jobs)
        left, done = numbers[done:], max(0, done - len(numbers))
        if not left:
            continue
        folder = Path(tempfile.mkdtemp(prefix="fuzz-", dir=MEMORY if MEMORY.is_dir() else None))
        for is_read in run(name, seed, left, folder / "data"):
            sys.stdout.buffer.write(READ if is_read else REFUSED)
            sys.stdout.buffer.flush()
        shutil.rmtree(folder)


def watched(plan: Mapping[str, int], seed: int, job: int, jobs: int) -> dict[str, bytes]:
    """What came of each input of a job, by form: in a process of its own, which may end."""
    answers, total = b"", sum(len(range(job, inputs, jobs)) for inputs in plan.values())
    environment = {**os.environ, "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
    while len(answers) < total:
        order = json.dumps([plan, seed, job, jobs, len(answers)])
        command = [sys.executable, __file__, "--work", order]
        child = subprocess.run(command, capture_output=True, check=False, env=environment)
        answers += child.stdout
        if child.returncode < 0:
            answers += ENDED
        elif child.returncode:
            raise SystemExit(child.stderr.decode(errors="replace").strip().rpartition("\n")[2])
    found, first = {}, 0
    for name, inputs in plan.items():
        length = len(range(job, inputs, jobs))
        found[name] = answers[first : first + length]
        first += length
    return found


@click.command()
@click.option("--inputs", default=100_000, show_default=True, help="Over all forms.")
@click.option("--seed", default=0, show_default=True)
@click.option("--jobs", default=1, show_default=True, help="Processes at once.")
@click.option("--form", "forms", multiple=True, help="Only these.")
@click.option("--work", "order", hidden=True)
def main(inputs: int, seed: int, jobs: int, forms: tuple[str, ...], order: str | None) -> None:
    """Print how many inputs were read, and how many refused."""
    if order is not None:
        work(*json.loads(order))
        return
    began, plan = time.monotonic(), planned(inputs, forms or tuple(seeds()))
    with ThreadPoolExecutor(jobs) as pool:
        parts = [*pool.map(lambda job: watched(plan, seed, job, jobs), range(jobs))]
    for name in plan:
        answers = b"".join(part[name] for part in parts)
        counts = {word: answers.count(kind) for word, kind in KINDS.items()}
        said = ", ".join(f"{count} {word}" for word, count in counts.items())
        click.echo(f"{name}: {len(answers)} inputs, {said}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = f"{time.monotonic() - began:.0f} s, {used.ru_utime + used.ru_stime:.0f} CPU s"
    each = ", ".join(f"{name} {count}" for name, count in plan.items())
    click.echo(f"{sum(plan.values())} inputs without a traceback, {spent}: {each}")


if __name__ == "__main__":
    main()
