"""`plan`: how much a manifest is, what scoring it would take, and in which jobs."""

from __future__ import annotations

import json
import shlex
import subprocess
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import yaml
from click.testing import Result
from cogapp import Cog
from refusals import refusal
from samples import LOOSE_TOML
from sounds import save, tone

from emobatch.manifests import manifest
from emobatch.manifests.costs import Costs
from emobatch.manifests.shards import Shard
from emobatch.models.choice import Choice
from emobatch.planning import sample
from emobatch.planning.estimate import Estimate, dearest
from emobatch.planning.jobs import Jobs
from emobatch.planning.lengths import measure
from emobatch.planning.memory import Peak
from emobatch.planning.sample import Sample

Cli = Callable[..., Result]
CLUSTERS = Path(__file__).parents[1] / "docs" / "clusters.md"


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Clips of three lengths, a segment, one that isn't there, and one that is no audio."""
    for name, seconds in (("a", 0.5), ("b", 1.5), ("c", 12.0)):
        save(tmp_path / f"{name}.wav", tone(seconds))
    (tmp_path / "x.wav").write_text("no sound")
    (tmp_path / "m.csv").write_text(
        "path,start,end,code\na.wav,,,007\nb.wav,,,1\nc.wav,,,2\nc.wav,3,4.25,3\nc.wav,10,,4\n"
        "gone.wav,,,5\nx.wav,,,6\ngone.wav,1,3,7\n"
    )
    return tmp_path / "m.csv"


LENGTHS = [0.5, 1.5, 12.0, 1.25, 2.0, None, None, 2.0]


def test_lengths_are_told_by_segments_and_headers(cli: Cli, clips: Path) -> None:
    result = cli("plan", clips, "--no-sample")
    assert result.exit_code == 0, result.stderr
    lines = [line.split() for line in result.stdout.splitlines()]
    assert result.stdout.startswith(
        "8 rows, 19 s of audio, by the headers of 3 files; 2 files can't be read\n"
        "  gone.wav: no such file\n  x.wav: can't be decoded"
    )
    table = [line[:6] for line in lines[lines.index(["seconds", "rows", "audio"]) + 1 :]]
    assert [" ".join(line[:4]) for line in table] == [
        "0 to 1 1",
        "1 to 2 2",
        "2 to 5 2",
        "10 to 20 1",
    ]
    found = json.loads(cli("plan", clips, "--sample", 0, "--json").stdout)
    assert (found["rows"], found["seconds"], found["headers"]) == (8, 19.25, 3)
    assert [each["path"] for each in found["unreadable"]] == ["gone.wav", "x.wav"]
    assert found["estimate"] is found["shards"] is None


def test_each_file_has_its_own_length_though_others_cant_be_had(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        archive.add(save(tmp_path / "a.wav", tone(0.5)), "a.wav")
    (tmp_path / "m.csv").write_text("path\nx.tar!gone.wav\na.wav\nx.tar!a.wav\nno.tar!a.wav\n")
    found = measure(manifest.read(str(tmp_path / "m.csv")), 60.0)
    assert found.seconds.to_list() == [None, 0.5, 0.5, None]
    assert [path for path, _ in found.unreadable] == ["x.tar!gone.wav", "no.tar!a.wav"]


@pytest.mark.parametrize("extension", ["csv", "parquet", "jsonl"])
def test_the_manifest_is_written_with_durations(cli: Cli, clips: Path, extension: str) -> None:
    target = clips.with_name(f"timed.{extension}")
    assert cli("plan", clips, "--no-sample", "-o", target).exit_code == 0
    written = manifest.read(str(target)).frame(0, 99)
    before = manifest.read(str(clips)).frame(0, 99)
    assert written["duration"].cast(pl.Float64, strict=False).to_list() == LENGTHS
    assert written.drop("duration").equals(before.select(written.drop("duration").columns))
    again = json.loads(cli("plan", target, "--no-sample", "--json").stdout)
    assert again["headers"] == 0 and again["seconds"] == 19.25, "what is known isn't read again"


def test_a_manifest_is_never_written_over_itself(cli: Cli, clips: Path) -> None:
    assert "is what is read" in refusal(cli("plan", clips, "--no-sample", "-o", clips))


def test_files_are_told_where_they_are(
    cli: Cli, clips: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (clips.parent / "other").mkdir()
    target = clips.parent / "other" / "timed.csv"
    assert cli("plan", clips, "--no-sample", "-o", target).exit_code == 0
    assert f"score it with --root {clips.parent}" in caplog.text


def test_a_sample_says_what_all_would_take(cli: Cli, clips: Path, model_options: list[str]) -> None:
    gate = clips.with_name("t.toml")
    gate.write_text(LOOSE_TOML)
    options = (*model_options, "--gate", gate, "--sample", 4)
    found = json.loads(cli("plan", clips, *options, "--json", "--shards", 1).stdout)
    taken, estimate = found["sample"], found["estimate"]
    assert taken["rows"] == 4 and taken["failed"] <= 1 and 0 <= taken["asked"] <= 1
    assert min(taken[name] for name in ("loading", "speech", "table", "parts")) > 0
    assert estimate["ungated"] == pytest.approx(estimate["speech"] + estimate["text"])
    assert estimate["gated"] == pytest.approx(
        estimate["speech"] + estimate["text"] * taken["asked"]
    )
    assert estimate["memory"] > 100e6
    assert found["shard_seconds"] == pytest.approx(estimate["loading"] + estimate["gated"])
    assert not [*clips.parent.glob("*.parts")]


def test_a_sample_none_of_which_can_be_scored_says_why(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_text("no sound")
    (tmp_path / "m.csv").write_text("path,start,end\nx.wav,0,1\nx.wav,1,2\n")
    message = refusal_of_sample(cli("plan", tmp_path / "m.csv", "--models=demo"))
    assert "none of a sample of 2 rows could be scored, the first: audio: can't be" in message


def refusal_of_sample(result: Result) -> str:
    assert result.exit_code == 1 and result.stdout == ""
    return result.stderr.splitlines()[-1]


def rows_of(tmp_path: Path, durations: list[float]) -> manifest.Manifest:
    rows = [{"path": "a.wav", "id": str(n), "duration": each} for n, each in enumerate(durations)]
    pl.DataFrame(rows).write_parquet(tmp_path / "d.parquet")
    return manifest.read(str(tmp_path / "d.parquet"))


def test_a_sample_has_rows_of_all_lengths_in_order(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, [9.0, 1.0, 5.0, 3.0, 0.0, 7.0, 2.0, 8.0, 4.0])
    drawn = sample.drawn(rows, Costs(text=False), 4)
    # Of 1, 2 | 3, 4 | 5, 7 | 8, 9 the longer one each, in the manifest's order.
    assert drawn.frame(0, 9)["duration"].to_list() == [9, 7, 2, 4]
    assert len(sample.drawn(rows, Costs(), 99)) == 8, "one without a length isn't drawn"


@pytest.mark.parametrize(
    ("row_seconds", "asked", "wanted"),
    [
        # Ten seconds are enough: of 1 ms a row they aren't reached by eight times as many twice.
        (0.1, None, [128]),
        (0.02, None, [128, 500]),
        (0.07, None, [128, 192]),
        (0.001, None, [128, 1024, 2000]),
        (0.001, 50, [50]),
    ],
)
def test_a_sample_grows_until_it_takes_long_enough(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    row_seconds: float,
    asked: int | None,
    wanted: list[int],
) -> None:
    rows, taken = rows_of(tmp_path, [1.0] * 2000), []

    def measure(chosen: manifest.Manifest, *_: object) -> Sample:
        taken.append(len(chosen))
        seconds = len(chosen) * row_seconds / 2
        return Sample(len(chosen), 0, (1, 1), len(taken), seconds, seconds, None, 9, 9, 9)

    monkeypatch.setattr(sample, "_of", measure)
    found = sample.take(rows, Choice(models="demo", device="cpu"), None, asked)
    assert taken == wanted and found is not None and found.rows == wanted[-1]
    assert found.loading == 1, "models are loaded for the first one"


def test_all_takes_as_much_more_as_each_branch_is_given_more() -> None:
    taken = Sample(10, 0, (100_000, 300_000), 7.0, 2.0, 30.0, 0.25, 9, 1000, 2000)
    whole = Estimate.of(taken, 100, (500_000, 6_000_000))
    assert (whole.speech, whole.text, whole.gated) == (10.0, 600.0, 160.0)
    assert (whole.table, whole.parts, whole.loading) == (10_000, 20_000, 7.0)
    said = Sample(10, 0, (100_000, 0), 7.0, 2.0, 3.0, None, 9, 1000, 2000)
    assert Estimate.of(said, 100, (1_000_000, 0)).text == 30.0, "of transcripts, by the row"


def test_shards_are_as_many_as_the_time_asks_for() -> None:
    import numpy as np

    estimate = Estimate(100.0, 4000.0, 6000.0, None, 9, 9, 9)
    chunks = np.full(100, 7)
    assert estimate.shards_within(chunks, 1e6) == 1
    shards = estimate.shards_within(chunks, 1500.0)
    assert 100 + 10_000 * dearest(chunks, shards) <= 0.8 * 1500
    assert 100 + 10_000 * dearest(chunks, shards - 1) > 0.8 * 1500
    assert estimate.shards_within(chunks, 1.0) == 100, "no more than chunks"


def test_memory_is_that_of_what_is_started_as_well() -> None:
    script = "import sys; held = bytearray(b'x') * (300 << 20); print('held'); sys.stdin.read()"
    before = Peak().most
    with Peak() as peak:
        held = subprocess.Popen(
            ["python3", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert held.stdout is not None and held.stdout.readline() == "held\n"
        seen = peak.looks
        while peak.looks < seen + 2:
            time.sleep(0.01)
        held.communicate("")
    assert peak.most > min(before, peak.now()) + (250 << 20)


JOBS = Jobs(["emobatch", "score", "it's.csv", "--offline"], 8, 14_400.0, 4, 3 << 30, gpu=True)


def test_the_script_for_slurm_is_a_script() -> None:
    script = JOBS.slurm()
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    assert (
        "#SBATCH --time=4:00:00 --signal=B:USR1@120 --cpus-per-task=4 --mem=4608M --gpus=1\n"
        in script
    )
    assert '"${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"' in script and "--array=0-7 " in script
    assert "mkdir -p" in script and script.index("trap ") < script.index(
        "emobatch score 'it'\"'\"'s"
    )
    assert "--gpus" not in Jobs(["x"], 8, 1.0, 4, 1, gpu=False).slurm()


FAKE = """#!/bin/bash
# Stands for emobatch: says what it was given, waits for a warning, and ends with a status.
echo "$@" > given
trap 'echo warned >> given; exit 75' USR1
touch begun
[ -n "$STATUS" ] && exit "$STATUS"
while :; do sleep 0.05; done
"""


@pytest.mark.parametrize(
    ("status", "restarts", "again"),
    [("0", 0, False), ("3", 0, False), ("", 0, True), ("", 20, False)],
)
def test_the_script_hands_the_warning_on_and_queues_this_task_again(
    tmp_path: Path, status: str, restarts: int, again: bool
) -> None:
    (tmp_path / "job.sh").write_text(Jobs(["emobatch", "score"], 8, 1.0, 4, 1, gpu=False).slurm())
    for name, text in (("emobatch", FAKE), ("scontrol", '#!/bin/bash\necho "$@" > asked\n')):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    environment = {
        **{"PATH": f"{tmp_path}:/usr/bin:/bin", "STATUS": status, "SLURM_JOB_ID": "70"},
        **{"SLURM_ARRAY_JOB_ID": "70", "SLURM_ARRAY_TASK_ID": "7"},
        **({"SLURM_RESTART_COUNT": str(restarts)} if restarts else {}),
    }
    job = subprocess.Popen(["bash", "job.sh"], cwd=tmp_path, env=environment)
    if not status:
        while not (tmp_path / "begun").exists():
            assert job.poll() is None
            time.sleep(0.01)
        subprocess.run(["kill", "-USR1", str(job.pid)], check=True)
    assert job.wait() == int(status or 75)
    given = (tmp_path / "given").read_text().splitlines()
    assert given == ["score --shard 7/8 -o scores/7.parquet", *([] if status else ["warned"])]
    asked = tmp_path / "asked"
    assert (asked.read_text() if asked.exists() else "") == ("requeue 70_7\n" if again else "")
    assert (tmp_path / "scores").is_dir()


def test_the_job_for_kubernetes_takes_75_for_a_retry() -> None:
    job = yaml.safe_load(JOBS.kubernetes())["spec"]
    assert (job["completionMode"], job["completions"], job["backoffLimitPerIndex"]) == (
        "Indexed",
        8,
        3,
    )
    rules = job["podFailurePolicy"]["rules"]
    assert [
        rule["onExitCodes"]["values"]
        for rule in rules
        if rule["action"] == "Ignore" and "onExitCodes" in rule
    ] == [[75]]
    pod = job["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["restartPolicy"] == "Never"
    assert {rule["onExitCodes"]["containerName"] for rule in rules if "onExitCodes" in rule} == {
        container["name"]
    }
    assert container["resources"]["limits"] == {
        "cpu": "4",
        "memory": "4608Mi",
        "nvidia.com/gpu": "1",
    }
    assert said(container["command"], JOB_COMPLETION_INDEX="3") == [
        *("score", "it's.csv", "--offline", "--shard", "3/8", "-o", "scores/3.parquet")
    ]


def test_the_job_for_aws_takes_75_for_a_retry() -> None:
    job = json.loads(JOBS.aws_batch())
    assert job["arrayProperties"] == {"size": 8}
    assert job["retryStrategy"]["evaluateOnExit"][0] == {"onExitCode": "75", "action": "RETRY"}
    assert job["retryStrategy"]["evaluateOnExit"][-1]["action"] == "EXIT"
    command = job["containerOverrides"]["command"]
    assert said(command, AWS_BATCH_JOB_ARRAY_INDEX="3")[-4:] == [
        *("--shard", "3/8", "-o", "scores/3.parquet")
    ]
    needs = {
        each["type"]: each["value"] for each in job["containerOverrides"]["resourceRequirements"]
    }
    assert needs == {"VCPU": "4", "MEMORY": "4608", "GPU": "1"}
    alone = json.loads(Jobs(["emobatch"], 1, 1.0, 1, 1, gpu=False).aws_batch())
    assert "arrayProperties" not in alone, "AWS makes no array of one"
    assert said(alone["containerOverrides"]["command"])[:2] == ["--shard", "0/1"]


def said(command: list[str], **environment: str) -> list[str]:
    """What a container's command gives to emobatch."""
    script = command[2].replace("mkdir -p scores && exec emobatch", "printf '%s\\n'")
    done = subprocess.run(
        [*command[:2], script], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_jobs_are_given_the_options_that_were_typed(cli: Cli, clips: Path) -> None:
    command = ("plan", clips, "--no-sample", "--shards=3", "--wall-time=90m", "--slurm")
    result = cli(*command, "--models=demo", "--label-map", "fru=sad,exc=happy", "--confine",
                 "--text-model", "a b", "-o", clips.with_name("t.csv"))  # fmt: skip
    assert result.exit_code == 0
    line = next(line for line in result.stdout.splitlines() if line.startswith("emobatch"))
    words = shlex.split(line.removesuffix("&"))
    assert words[:3] == ["emobatch", "score", str(clips.with_name("t.csv"))]
    assert {*words[3:]} >= {
        *("--models=demo", "--label-map=fru=sad,exc=happy", "--confine", "--text-model=a b"),
        *("--offline", "--shard", "$SLURM_ARRAY_TASK_ID/3"),
    }
    assert "--time=1:30:00" in result.stdout and "shards" not in line
    assert "3 shards; 1.5 h of wall time each" in result.stderr


def test_jobs_can_read_the_manifest_that_a_plan_writes(cli: Cli, clips: Path) -> None:
    """Its columns have the names that emobatch knows, and its files are where they were."""
    (clips.parent / "other").mkdir()
    target = clips.parent / "other" / "t.parquet"
    clips.write_text(clips.read_text().replace("path", "file", 1))
    command = (
        "plan",
        clips,
        "--path-column=file",
        "--label-column=code",
        "--no-sample",
        "-o",
        target,
    )
    result = cli(*command, "--shards=3", "--wall-time=90m", "--slurm")
    line = next(line for line in result.stdout.splitlines() if line.startswith("emobatch"))
    root, *words = shlex.split(line)[3:6]
    assert (root, words) == (f"--root={clips.parent}", ["--label-column=code", "--offline"])
    again = cli("plan", target, root, *words, "--no-sample", "--json")
    assert json.loads(again.stdout)["seconds"] == 19.25


def test_a_plan_is_of_the_rows_that_would_be_scored(cli: Cli, clips: Path) -> None:
    """Those that a pattern finds, and that recordings are cut into."""
    folder, plan = clips.parent, ("plan", "--no-sample", "--json")
    found = json.loads(cli(*plan, folder, "--glob=[ab].wav").stdout)
    assert (found["rows"], found["seconds"], found["unreadable"]) == (2, 2.0, [])
    (folder / "c.rttm").write_text(
        "SPEAKER c 1 0.5 1.25 <NA> <NA> x\nSPEAKER c 1 3 2 <NA> <NA> y\n"
    )
    cut, target = f"--segments={folder / 'c.rttm'}", folder / "t.csv"
    found = json.loads(cli(*plan, folder / "c.wav", cut).stdout)
    assert (found["rows"], found["seconds"]) == (2, 3.25)
    # What was written is cut, and can't be cut again.
    jobs = ("plan", folder / "c.wav", cut, "--no-sample", "-o", target, "--slurm", "--shards=1")
    script = cli(*jobs, "--wall-time=1h").stdout.splitlines()
    line = next(each for each in script if each.startswith("emobatch"))
    assert str(target) in line and "--segments" not in line
    assert pl.read_csv(target)["duration"].to_list() == [1.25, 2.0]


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--slurm"], 1, "give --shards and --wall-time"),
        (["--slurm", "--json"], 2, "give one of"),
        (["--slurm", "--kubernetes"], 2, "give one of"),
        (["--wall-time", "soon"], 2, "give a time as in 90m"),
        (["--wall-time", "0h"], 2, "more than no time"),
        (["--shards", "0"], 2, "--shards"),
    ],
)
def test_what_makes_no_plan_is_refused(
    cli: Cli, clips: Path, options: list[str], status: int, message: str
) -> None:
    result = cli("plan", clips, "--no-sample", *options)
    assert result.exit_code == status and message in result.stderr and result.stdout == ""


def test_jobs_of_standard_input_need_a_file(cli: Cli) -> None:
    result = cli("plan", "-", "--no-sample", "--slurm", input="path\na.wav\n")
    assert result.exit_code == 2 and "-o FILE" in result.stderr


def test_the_script_in_the_documentation_is_the_one_that_plan_prints() -> None:
    assert Cog().main(["cog", "--check", str(CLUSTERS)]) == 0, f"run `cog -r {CLUSTERS}`"
    assert Jobs(("emobatch", "score", "manifest.csv", "--offline"), 8, 14_400.0, 4, 10 << 30,
                gpu=True).slurm() in CLUSTERS.read_text()  # fmt: skip


def test_what_was_measured_balances_shards(cli: Cli, clips: Path) -> None:
    rows = manifest.read(str(clips))
    lengths = measure(rows, 60.0)
    assert lengths.seconds.to_list() == LENGTHS
    taken, _ = Shard(0, 2).take(rows, Costs(text=False), 1)
    assert len(taken) < len(rows)
