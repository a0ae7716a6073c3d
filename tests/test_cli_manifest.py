"""`manifest`: each corpus in its owners' layout, and any other source as a table."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import soundfile
from click.testing import Result
from refusals import refusal

from emobatch.manifests.corpora.build import build
from emobatch.manifests.corpora.facts import all_facts
from emobatch.manifests.corpora.registry import CORPORA

Cli = Callable[..., Result]
IEMOCAP4 = Path(__file__).parents[1] / "manifests" / "iemocap4.csv"
SILENCE = np.zeros(1600, np.float32)


def tree(folder: Path, files: dict[str, str | bytes | None]) -> Path:
    """Text by name; None is a silent file."""
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if content is None and file.suffix == ".wav":
            soundfile.write(file, SILENCE, 16_000)
        else:
            file.write_bytes(content.encode() if isinstance(content, str) else content or b"")
    return folder


EVALUATION = """\
% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]

[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 3.0000]
C-E2:\tNeutral;\t()
A-F1:\tval 3; act 2; dom  2;\t()

[10.0100 - 11.3925]\tSes01F_impro01_M000\txxx\t[2.5000, 2.5000, 2.5000]
[8.5 - 9.5]\tSes01F_impro01_F001\tfru\t[2.0000, 3.5000, 3.0000]
"""
IEMOCAP = {
    "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt": EVALUATION,
    "Session1/dialog/EmoEvaluation/Categorical/Ses01F_impro01_e1_cat.txt": "x",
    "Session1/dialog/transcriptions/Ses01F_impro01.txt": (
        "Ses01F_impro01_F000 [006.2901-008.2357]: Excuse me.\n"
        "M: Ses01F_impro01_MXX0\nSes01F_impro01_M000 [010.0100-011.3925]: Do you have your forms?\n"
    ),
    "Session1/dialog/wav/Ses01F_impro01.wav": None,
    "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav": None,
    "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M000.wav": None,
}
IMPROV = {
    "Evalution.txt": (
        "UTD-IMPROV-S01A-F01-P-FM01.avi; N; A:3.000000; V:3.200000; D:2.600000 ; N:NaN;\n"
        "Rater_1; Neutral; Neutral; A:3.000000; V:3.000000; D:3.000000; N:4.000000;\n\n"
        "UTD-IMPROV-S08H-M06-T-MF02.avi; X; A:1.0; V:2.0; D:3.0 ; N:4.0;\n"
    ),
    "session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM01.wav": None,
    "session6/S08H/T/MSP-IMPROV-S08H-M06-T-MF02.wav": None,
    "All_human_transcriptions/MSP-IMPROV-S01A-F01-P-FM01.txt": "how can I not\n",
}
PODCAST = {
    "Labels/labels_consensus.csv": (
        "FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set\n"
        "MSP-PODCAST_0001_0008.wav,N,2.2,4.0,2.6,30,Male,Test1\n"
        "MSP-PODCAST_0001_0009.wav,X,3.777778,3.555556,3.777778,Unknown,Female,Development\n"
        "MSP-PODCAST_0001_0010.wav,C,3,3,3,30,Male,Train\n"
    ),
    "Audios/MSP-PODCAST_0001_0008.wav": None,
    "Audios/MSP-PODCAST_0001_0009.wav": None,
    "Transcripts/MSP-PODCAST_0001_0008.txt": "well then\n",
}
CREMA = {
    "AudioWAV/1001_DFA_ANG_XX.wav": None,
    "AudioMP3/1001_DFA_ANG_XX.mp3": b"x",
    "AudioWAV/1002_IEO_HAP_HI.wav": None,
    "processedResults/summaryTable.csv": (
        '"","FileName","VoiceVote","VoiceLevel","FaceVote","FaceLevel","MultiModalVote"\n'
        '"1","1001_DFA_ANG_XX","A:N","50:60","A",70,"A"\n'
    ),
}
QUOTE = "\N{RIGHT SINGLE QUOTATION MARK}"
MELD_HEADER = (
    "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,"
    "StartTime,EndTime\n"
)
MELD_ROW = (
    f'1,"Oh, he{QUOTE}s lost it.",Phoebe,sadness,negative,0,0,4,7,"00:20:57,256","00:21:00"\n'
)
MELD = {
    "train/train_sent_emo.csv": (MELD_HEADER + MELD_ROW).encode("cp1252"),
    "dev_sent_emo.csv": MELD_HEADER
    + MELD_ROW.replace("\x92", "'")
    + "2,x,y,joy,positive,0,1,,,,\n",
    "train/train_splits/dia0_utt0.mp4": b"x",
    "dev_splits_complete/dia0_utt0.mp4": b"x",
    "dev_splits_complete/dia9_utt9.mp4": b"x",
}
MOSEI_HEADER = (
    "HITId,WorkerId,Input.VIDEO_ID,Input.CLIP,Answer.anger,Answer.disgust,Answer.fear,"
    "Answer.happiness,Answer.sadness,Answer.sentiment,Answer.surprise\n"
)
SPOKEN = "-3g5yACwYnA"
MOSEI = {
    "Raw/Labels/5000_batch_raw.csv": (
        MOSEI_HEADER + f"h,1,{SPOKEN},2,0,0,0,1,0,1,0\nh,2,{SPOKEN},2,0,0,0,2,0,2,1\n"
        f'h,"a\nb",{SPOKEN},2,0,0,0,1,0,1,0\nh,1,{SPOKEN},10,1,0,1,0,0,-1,\n'
        f"h,1,{SPOKEN},77,0,0,0,1,0,0,0\n"
    ),
    "Raw/Labels/pom_extra_sqa_mono_results.csv": MOSEI_HEADER + "h,1,pom/136196,0,0,0,0,0,0,0,0\n",
    f"Raw/Transcript/Segmented/Combined/{SPOKEN}.txt": (
        f"{SPOKEN}___10___-0.47755102___4.10430839___That was ___ it.\n"
        f"{SPOKEN}___2___4.84___14.052___Well, then. \n{SPOKEN}___3___14.052___15___Not rated.\n"
    ),
    f"Raw/Audio/Full/WAV_16000/{SPOKEN}.wav": None,
    f"Raw/Videos/Full/Combined/{SPOKEN}.mp4": b"x",
    "cmu_mosei_std_folds.py": (
        f"standard_train_fold=[]\nstandard_valid_fold = ['x',\n '{SPOKEN}']\n"
        "standard_test_fold=['y']\n"
    ),
}
ESD = {
    "0001/Angry/0001_000351.wav": None,
    "0001/0001.txt": "0001_000351\t打远一看\t生气\n".encode("gb18030"),
    "0011/Happy/train/0011_000701.wav": None,
    "0011/0011.txt": "0011_000701\tThe nine the eggs, I keep.\tHappy\n".encode("utf-16"),
}
JL = "Raw JL corpus (unchecked and unannotated)/JL(wav+txt)/female1_angry_10a_1"
# For each: its files, a row in full, the rows, and what is said beside the counts.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], int, list[str]]] = {
    "iemocap": (
        IEMOCAP,
        {
            **{"id": "Ses01F_impro01_F000", "label": "neutral", "speaker": "Ses01F"},
            "path": "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav",
            **{"transcript": "Excuse me.", "language": "en", "gender": "female", "session": 1},
            **{"dialogue": "Ses01F_impro01", "script": "impro01", "condition": "impro"},
            **{"valence": 2.5, "arousal": 2.5, "dominance": 3.0, "duration": 1.9456, "turn": 0},
        },
        2,
        [
            "1 rows left out whose audio is missing: Ses01F_impro01_F001",
            "1 audio files left out that have no label: Session1/dialog/wav/Ses01F_impro01.wav",
            "differs: 3 rows where 10039 are published",
        ],
    ),
    "msp-improv": (
        IMPROV,
        {
            **{"id": "MSP-IMPROV-S01A-F01-P-FM01", "label": "neutral", "speaker": "F01"},
            "path": "session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM01.wav",
            **{"transcript": "how can I not", "language": "en", "gender": "female"},
            **{"session": 1, "script": "S01", "turn": "FM01", "intended": "angry"},
            **{"condition": "natural interaction", "arousal": 3.0, "valence": 3.2},
            **{"dominance": 2.6, "naturalness": None},
        },
        2,
        ["by label: neutral 1, none 1", "differs: 2 rows where 8438 are published"],
    ),
    "msp-podcast": (
        PODCAST,
        {
            **{"id": "MSP-PODCAST_0001_0008", "label": "neutral", "speaker": 30},
            **{"path": "Audios/MSP-PODCAST_0001_0008.wav", "transcript": "well then"},
            **{"language": "en", "gender": "male", "split": "test", "partition": "Test1"},
            **{"arousal": 2.2, "valence": 4.0, "dominance": 2.6},
        },
        2,
        ["audio is missing: MSP-PODCAST_0001_0010", "counts differ by release"],
    ),
    "ravdess": (
        {"Actor_12/03-01-06-01-02-01-12.wav": None, "Actor_12/03-02-06-01-02-01-12.wav": None},
        {
            **{"path": "Actor_12/03-01-06-01-02-01-12.wav", "id": "03-01-06-01-02-01-12"},
            **{"label": "fearful", "speaker": 12, "gender": "female", "script": 2},
            **{"transcript": "Dogs are sitting by the door.", "language": "en"},
            **{"intensity": "normal", "repetition": 1, "voice": "speech", "modality": "audio"},
        },
        2,
        ["differs: 1 rows where 1440 are published"],
    ),
    "crema-d": (
        CREMA,
        {
            **{"path": "AudioWAV/1001_DFA_ANG_XX.wav", "id": "1001_DFA_ANG_XX"},
            **{"label": "angry", "speaker": 1001, "script": "DFA", "language": "en"},
            **{"transcript": "Don't forget a jacket.", "intensity": None},
            **{"voice_vote": "angry:neutral", "multimodal_vote": "angry"},
        },
        2,
        ["1 audio files left out that are there twice: AudioMP3/1001_DFA_ANG_XX.mp3"],
    ),
    "emodb": (
        {"wav/03a01Fa.wav": None, "wav/08b10Wb.wav": None, "wav/odd.wav": None},
        {
            **{"path": "wav/03a01Fa.wav", "id": "03a01Fa", "label": "happiness", "speaker": 3},
            **{"transcript": "Der Lappen liegt auf dem Eisschrank.", "language": "de"},
            **{"gender": "male", "script": "a01", "take": "a"},
        },
        2,
        ["1 audio files left out that have no label: wav/odd.wav", "1 rows anger where 127 are"],
    ),
    "meld": (
        MELD,
        {
            **{"path": "train/train_splits/dia0_utt0.mp4", "id": "train_dia0_utt0"},
            **{"label": "sadness", "speaker": "Phoebe", "dialogue": "train_dia0", "turn": 0},
            **{"split": "train", "transcript": f"Oh, he{QUOTE}s lost it.", "language": "en"},
            **{"rated_sentiment": "negative", "season": 4, "episode": 7},
        },
        2,
        ["audio is missing: val_dia0_utt1", "no label: dev_splits_complete/dia9_utt9.mp4"],
    ),
    "cmu-mosei": (
        MOSEI,
        {
            **{"path": f"Raw/Audio/Full/WAV_16000/{SPOKEN}.wav", "id": f"{SPOKEN}_2"},
            **{"label": "happiness", "dialogue": SPOKEN, "turn": 2, "split": "val"},
            **{"start": 4.84, "end": 14.052, "transcript": "Well, then.", "language": "en"},
            **{"happiness": 1.333333, "sadness": 0.0, "anger": 0.0, "surprise": 0.333333},
            **{"disgust": 0.0, "fear": 0.0, "rated_sentiment": 1.333333, "raters": 3},
        },
        2,
        [
            f"2 rows left out whose audio is missing: {SPOKEN}_77, 136196_0",
            "by label: happiness 1, none 1",
            "differs: 4 rows where 23453 are published",
        ],
    ),
    "tess": (
        {"OAF_angry/OAF_back_angry.wav": None, "OAF_neutral/OA_bite_neutral.wav": None}
        | {"YAF_pleasant_surprised/YAF_back_ps.wav": None},
        {
            **{"path": "OAF_angry/OAF_back_angry.wav", "id": "OAF_back_angry", "label": "angry"},
            **{"speaker": "OAF", "gender": "female", "script": "back", "language": "en"},
            "transcript": "Say the word back.",
        },
        3,
        ["by label: angry 1, neutral 1, pleasant surprise 1", "by speaker: OAF 2, YAF 1"],
    ),
    "savee": (
        {"AudioData/DC/a01.wav": None, "AudioData/KL/sa15.wav": None, "AudioData/x/a01.wav": None},
        {
            **{"path": "AudioData/DC/a01.wav", "id": "DC_a01", "label": "anger"},
            **{"speaker": "DC", "gender": "male", "take": 1, "language": "en"},
        },
        2,
        ["by label: anger 1, sadness 1", "have no label: AudioData/x/a01.wav"],
    ),
    "esd": (
        ESD,
        {
            **{"path": "0001/Angry/0001_000351.wav", "id": "0001_000351", "label": "angry"},
            **{"speaker": 1, "language": "zh", "script": 1, "split": None},
            "transcript": "打远一看",
        },
        2,
        ["by label: angry 1, happy 1"],
    ),
    "emov-db": (
        {"bea_Amused/amused_1-15_0001.wav": None, "sam/Sleepy/sleepiness_1-28_0011.wav": None},
        {
            **{"path": "bea_Amused/amused_1-15_0001.wav", "id": "bea_amused_1-15_0001"},
            **{"label": "amused", "speaker": "bea", "gender": "female", "script": 1},
            "language": "en",
        },
        2,
        ["by speaker: bea 1, sam 1", "differs: 2 rows where 7000 are published"],
    ),
    "jl-corpus": (
        {f"{JL}.wav": None, f"{JL}.txt": "Carl leaps into a jeep.\n"},
        {
            **{"path": f"{JL}.wav", "id": "female1_angry_10a_1", "label": "angry"},
            **{"speaker": "female1", "transcript": "Carl leaps into a jeep.", "language": "en"},
            **{"gender": "female", "session": 1, "script": "10a", "kind": "primary"},
        },
        1,
        ["by label: angry 1"],
    ),
}


def test_every_corpus_has_a_case_and_facts() -> None:
    assert set(CASES) == set(CORPORA) == set(all_facts())


@pytest.mark.parametrize("name", CASES)
def test_a_corpus_as_its_owners_ship_it(cli: Cli, tmp_path: Path, name: str) -> None:
    files, row, count, said = CASES[name]
    folder, target = tree(tmp_path / "corpus", files), tmp_path / "manifest.csv"
    done = cli("manifest", name, folder, "-o", target)
    assert done.exit_code == 0 and done.stdout == "", done.stderr
    found = pl.read_csv(target, infer_schema_length=None)
    assert len(found) == count
    (mine,) = found.filter(pl.col("id") == row["id"]).to_dicts()
    assert mine == {**row, "path": f"corpus/{row['path']}"}
    for line in said:
        assert line in done.stderr
    assert all((tmp_path / path).is_file() for path in found["path"]), "where `score` looks"


def test_a_sentence_that_few_rated_and_that_begins_before_its_video(tmp_path: Path) -> None:
    folder = tree(tmp_path, {name: text for name, text in MOSEI.items() if "folds" not in name})
    (row, _) = sorted(
        build("cmu-mosei", folder).rows.collect().to_dicts(), key=lambda r: -r["turn"]
    )
    assert (row["id"], row["start"], row["end"]) == (f"{SPOKEN}_10", 0.0, 4.10430839)
    assert (row["label"], row["anger"], row["fear"], row["surprise"]) == (None, 1.0, 1.0, None)
    assert (row["raters"], row["transcript"]) == (1, "That was ___ it.") and "split" not in row


@pytest.mark.parametrize("name", CASES)
def test_a_folder_of_something_else_is_refused(cli: Cli, tmp_path: Path, name: str) -> None:
    folder = tree(tmp_path / "other", {"speech.wav": None})
    message = refusal(cli("manifest", name, folder, "-o", tmp_path / "m.csv"))
    assert message.startswith(f"{folder}: no ") and "give " in message
    assert "no such folder" in refusal(cli("manifest", name, tmp_path / "nothing"))


def iemocap_tree(folder: Path) -> Path:
    """The 5,531 turns of the manifest that comes with the package, and some of other labels."""
    codes = {"angry": "ang", "neutral": "neu", "sad": "sad"}
    happy = 0
    lines: dict[str, list[str]] = {}
    for row in pl.read_csv(IEMOCAP4, infer_schema=False).iter_rows(named=True):
        happy += row["label"] == "happy"
        # Which of them were excited the manifest doesn't say: as many as there are.
        code = codes.get(row["label"]) or ("hap" if happy <= 595 else "exc")
        lines.setdefault(row["path"], []).append(f"{row['id']}\t{code}")
        file = folder / row["path"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    turns: dict[str, list[str]] = {}
    for path, found in lines.items():
        session, dialogue = Path(path).parts[0], Path(path).parent.name
        turns.setdefault(f"{session}/dialog/EmoEvaluation/{dialogue}.txt", []).extend(found)
    turns["Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"].append("Ses01F_impro01_F999\tfru")
    others: dict[str, str | bytes | None] = {
        name: "".join(f"[{n}.0 - {n}.5]\t{each}\t[2.5, 2.5, 2.5]\n" for n, each in enumerate(found))
        for name, found in turns.items()
    }
    wav = "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F999.wav"
    return tree(folder, {**others, wav: b""})


def test_iemocaps_usual_four_are_5531_rows(cli: Cli, tmp_path: Path) -> None:
    """Excited counts as happy; each row has path, speaker and script as the ready manifest has."""
    folder, target = iemocap_tree(tmp_path / "IEMOCAP_full_release"), tmp_path / "four.csv"
    done = cli("manifest", "iemocap", folder, "--classes", "four", "-o", target)
    assert done.exit_code == 0, done.stderr
    assert "5531 rows" in done.stderr
    assert "by label: neutral 1708, happy 1636, angry 1103, sad 1084" in done.stderr
    assert "excited 1041 -> happy" in done.stderr and "dropped frustrated 1" in done.stderr
    found = pl.read_csv(target, infer_schema=False)
    ready = pl.read_csv(IEMOCAP4, infer_schema=False)
    same = ["id", "label", "speaker", "session", "dialogue", "script", "condition"]
    assert found.select(same).sort("id").equals(ready.select(same).sort("id"))
    paths = found.sort("id")["path"].str.strip_prefix("IEMOCAP_full_release/")
    assert paths.equals(ready.sort("id")["path"])
    assert found["given_label"].value_counts().filter(given_label="excited")["count"].item() == 1041


def test_counts_as_published_are_said_to_be(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("03a01Fa", "08b10Wb")
    folder = tree(tmp_path / "c", {f"{name}.wav": None for name in names})
    facts = build("emodb", folder).facts
    exact = {"rows": 2, "speakers": 2, "labels": {"happiness": 1, "anger": 1}}
    from emobatch.manifests.corpora import build as module

    changed = {"emodb": type(facts)(**{**vars(facts), **exact})}
    monkeypatch.setattr(module, "all_facts", lambda: changed)
    done = cli("manifest", "emodb", folder)
    assert "as published (the owners' release)" in done.stderr and "differs" not in done.stderr


def test_the_published_counts_add_up() -> None:
    for name, facts in all_facts().items():
        if facts.rows is not None:
            assert sum(facts.labels.values()) <= facts.rows, name
            # Its label is one of ours: the highest of six ratings.
            assert facts.labels or name == "cmu-mosei"
            assert facts.source, f"{name}: who says so?"


@pytest.mark.parametrize(
    ("name", "file", "old", "new", "message"),
    [
        (
            "iemocap",
            "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt",
            "neu",
            "nue",
            "Ses01F_impro01.txt: line 3: not as IEMO",
        ),
        ("msp-improv", "Evalution.txt", "; X;", "; Q;", "line 4: not as MSP-IMPROV's owners"),
        ("msp-podcast", "Labels/labels_consensus.csv", ",X,", ",Y,", "line 3: EmoClass is 'Y'"),
        ("msp-podcast", "Labels/labels_consensus.csv", "EmoClass", "Emoclas", "mean 'Emoclas'?"),
        ("msp-podcast", "Labels/labels_consensus.csv", "2.2", "2-2", "line 2: EmoAct is '2-2', no"),
        ("meld", "dev_sent_emo.csv", "Emotion", "Feeling", "no column 'Emotion'"),
        ("meld", "dev_sent_emo.csv", ",joy,positive,0,1,,,,", "", "line 3: ends before 'Emotion'"),
        (
            "cmu-mosei",
            "Raw/Labels/5000_batch_raw.csv",
            "10,1,0,1",
            "10,1,x,1",
            "5000_batch_raw.csv: line 6: Answer.disgust is 'x', no rating",
        ),
        (
            "cmu-mosei",
            f"Raw/Transcript/Segmented/Combined/{SPOKEN}.txt",
            "___4.84",
            "___4,84",
            "line 2: '-3g5yACwYnA___2___4,84___14.052___Well, then.' where VIDEO___CLIP___START",
        ),
        ("cmu-mosei", "cmu_mosei_std_folds.py", "_valid_", "_val_", "not the three folds"),
    ],
)
def test_a_damaged_corpus_is_named(
    cli: Cli, tmp_path: Path, name: str, file: str, old: str, new: str, message: str
) -> None:
    folder = tree(tmp_path / "c", CASES[name][0])
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))
    assert message in refusal(cli("manifest", name, folder))


def test_the_list_names_them_all(cli: Cli) -> None:
    done = cli("manifest", "--list")
    assert done.exit_code == 0 and done.stderr == ""
    for name, facts in all_facts().items():
        assert f"{name}: {facts.title}\n" in done.stdout and facts.home in done.stdout
    listed = json.loads(cli("manifest", "--list", "--json").stdout)
    assert listed["iemocap"]["rows"] == 10_039 and listed["emodb"]["languages"] == ["de"]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([], 2, "give one SOURCE"),
        (["a.csv", "b.csv", "c.csv"], 2, "a pattern of files in quotes"),
        (["iemocap"], 2, "say where iemocap is"),
        (["iemocpa", "x"], 1, "no corpus 'iemocpa'; did you mean 'iemocap'?"),
        (["iemocap", "x", "--format", "kaldi"], 2, "are of a SOURCE, not of a CORPUS"),
        (["x.csv"], 1, "x.csv: no such file"),
        (["m.csv", "--classes", "four"], 1, "no column 'label' for --classes four"),
    ],
)
def test_what_makes_no_sense(
    cli: Cli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    status: int,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.csv").write_text("path\na.wav\n")
    done = cli("manifest", *arguments)
    assert (done.exit_code, done.stdout) == (status, "") and message in done.stderr


def test_a_table_is_written_where_its_paths_are_found(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(tmp_path / "in", {"m.jsonl": '{"path": "a/b.wav", "label": "W"}\n{"path": "/c.wav"}\n'})
    (tmp_path / "out").mkdir()

    def paths(*arguments: object) -> list[str]:
        target = arguments[-1]
        done = cli("manifest", tmp_path / "in" / "m.jsonl", "-o", *arguments)
        assert done.exit_code == 0, done.stderr
        return list(pl.read_csv(str(target))["path"])

    assert paths(tmp_path / "in" / "m.csv") == ["a/b.wav", "/c.wav"]
    assert paths(tmp_path / "m.csv") == ["in/a/b.wav", "/c.wav"]
    assert paths(tmp_path / "out" / "m.csv") == [f"{tmp_path}/in/a/b.wav", "/c.wav"]
    monkeypatch.chdir(tmp_path)
    assert "\nin/a/b.wav," in cli("manifest", "in/m.jsonl").stdout
    source = tmp_path / "in" / "m.jsonl"
    assert "is what is read" in refusal(cli("manifest", source, "-o", source))


def test_labels_of_any_source_become_classes(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    file.write_text("path,label\na.wav,exc\nb.wav,W\nc.wav,fru\nd.wav,\n")
    done = cli("manifest", file, "--classes", "four", "--label-map", "W=angry")
    rows = pl.read_csv(done.stdout.encode())
    assert rows.select("label", "given_label").rows() == [("happy", "exc"), ("angry", "W")]
    assert "dropped fru 1" in done.stderr and "1 row without a label" in done.stderr
    none = cli("manifest", file, "--classes", "calm,tense")
    assert none.exit_code == 1 and "no row has a label of --classes calm,tense" in none.stderr


def test_quiet_is_quiet(cli: Cli, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    folder = tree(tmp_path / "c", {"03a01Fa.wav": None})
    done = cli("manifest", "emodb", folder, "--quiet", "-o", tmp_path / "m.csv")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")
