from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import EMOTIONS, rule, toml

from emobatch.errors import TaskError, ThresholdsError
from emobatch.fusion.file import Fitted, read, to_toml
from emobatch.fusion.selection.firmness import Firmness
from emobatch.fusion.selection.method import Selection
from emobatch.fusion.selection.rules import DetectionFigures, Rules
from emobatch.tasks.four import FOUR
from emobatch.tasks.task import Task

HAND_WRITTEN = """\
format = 1
exclusions = [["happy", "neutral"]]   # [from, to]: changes that are not made

[thresholds.angry]                    # by the class that the speech branch predicted
entropy = 0.9197                      # consult the text branch where entropy is at least this ...
varentropy = 0.4298                   # ... and varentropy at most this
mapping = "simple"                    # or "refer"
sentiment = 0.35                      # tau_m of the simple mapping
flip = true
detection_accuracy = 68.42            # on the rows it was fitted on
flagged = 38
detected = 26

[thresholds.angry.firmness]
equal_pairs = 12
equal_entropy = [0.9197, 0.93]        # the lowest and the highest
equal_varentropy = [0.42, 0.4298]
resamples = 200
entropy_interval = [0.8, 1.1]
varentropy_interval = [0.4, 0.5]
accuracy_interval = [55, 80.5]
left_out_accuracy = 61.2

[fitted]                              # rows, protocol, models, versions, date
"""
ANGRY = rule(
    entropy=0.9197,
    varentropy=0.4298,
    mapping="simple",
    sentiment=0.35,
    flip=True,
    figures=DetectionFigures(68.42, 38, 26),
    firmness=Firmness(
        equal_pairs=12,
        equal_entropy=(0.9197, 0.93),
        equal_varentropy=(0.42, 0.4298),
        resamples=200,
        entropy_interval=(0.8, 1.1),
        varentropy_interval=(0.4, 0.5),
        accuracy_interval=(55, 80.5),
        left_out_accuracy=61.2,
    ),
)

figures = st.floats(0, 10, allow_subnormal=False)
counts = st.none() | st.integers(0, 10**6)
text = st.text(st.characters(codec="utf-8"), max_size=20)
spans = st.tuples(figures, figures)
firmnesses = st.builds(
    Firmness,
    st.integers(1, 40_000),
    spans,
    spans,
    resamples=counts,
    entropy_interval=st.none() | spans,
    varentropy_interval=st.none() | spans,
    accuracy_interval=st.none() | spans,
    left_out_accuracy=st.none() | figures,
)
entries = st.builds(
    lambda pair, **others: rule(entropy=pair[0], varentropy=pair[1], **others),
    st.just((None, None)) | st.tuples(figures, figures),
    mapping=st.sampled_from(["refer", "simple", "direct"]),
    sentiment=st.floats(0, 1, allow_subnormal=False),
    flip=st.booleans(),
    figures=st.builds(
        DetectionFigures, st.none() | st.floats(0, 100, allow_subnormal=False), counts, counts
    ),
    reason=st.none() | text,
    firmness=st.none() | firmnesses,
)
emotions = st.sampled_from(EMOTIONS)
all_rules = st.builds(
    Rules,
    st.dictionaries(emotions, entries),
    st.lists(st.permutations(EMOTIONS).map(lambda names: tuple(names[:2])), max_size=5).map(tuple),
)
all_fitted = st.builds(
    Fitted,
    st.builds(Selection, st.just(FOUR), all_rules),
    st.dictionaries(st.text("abc_", min_size=1), text | figures | st.lists(text, max_size=2)),
)


def rules_of(fitted: Fitted) -> Rules:
    assert isinstance(fitted.method, Selection)
    return fitted.method.rules


def parse(path: Path, content: str) -> Fitted:
    path.write_text(content, encoding="utf-8")
    return read(path)


def refusal(path: Path, content: str) -> str:
    with pytest.raises(ThresholdsError) as refused:
        parse(path, content)
    message = str(refused.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("thresholds") / "t.toml"


@settings(max_examples=50)
@given(all_fitted)
def test_what_is_written_is_read_back(file: Path, fitted: Fitted) -> None:
    assert parse(file, to_toml(fitted)) == fitted


names = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1)


@settings(max_examples=50)
@given(st.lists(names, min_size=2, max_size=27, unique_by=str.lower))
def test_classes_of_any_name_are_read_back(file: Path, classes: list[str]) -> None:
    try:
        task = Task.of(classes)
    except TaskError:
        return
    fitted = Fitted(Selection(task, Rules({task.classes[1]: rule(1.0, 0.5)})))
    assert parse(file, to_toml(fitted)).method == fitted.method


def test_the_contracts_file_is_read(file: Path) -> None:
    found = parse(file, HAND_WRITTEN)
    assert found == Fitted(Selection(FOUR, Rules({"angry": ANGRY}, (("happy", "neutral"),))), {})


def test_format_1_is_read_as_selection_of_the_four_classes(file: Path) -> None:
    second = HAND_WRITTEN.replace(
        "format = 1\n",
        'format = 2\nmethod = "selection"\nclasses = ["angry", "happy", "neutral", "sad"]\n',
    )
    assert parse(file, HAND_WRITTEN) == parse(file, second)


def test_a_class_needs_no_more_than_its_two_thresholds(file: Path) -> None:
    found = parse(file, "format = 1\n[thresholds.sad]\nentropy = 1\nvarentropy = 0.5\n")
    assert rules_of(found) == Rules({"sad": rule(entropy=1, varentropy=0.5)})


def test_a_class_that_was_not_fitted_has_its_reason_and_no_thresholds() -> None:
    document = tomllib.loads(toml(Rules({"sad": rule(reason="few rows")})))
    assert document["thresholds"]["sad"]["reason"] == "few rows"
    assert not {"entropy", "varentropy"} & set(document["thresholds"]["sad"])


def test_what_is_not_known_of_the_fit_is_left_out() -> None:
    found = tomllib.loads(toml(Rules({}), where=None, models={"a": None}))
    assert found["fitted"] == {"models": {}}


def test_two_numbers_stay_on_one_line() -> None:
    lines = toml(Rules({"angry": ANGRY})).splitlines()
    assert "equal_entropy = [0.9197, 0.93]" in lines


def test_exclusions_stay_on_one_line() -> None:
    changes = (("happy", "angry"), ("sad", "neutral"))
    lines = toml(Rules({}, changes)).splitlines()
    assert 'exclusions = [["happy", "angry"], ["sad", "neutral"]]' in lines


SECOND = f"format = 2\nclasses = {list(EMOTIONS)}\n"


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ("entropy = 0.9197", "entropi = 0.9197", "did you mean 'entropy'?"),
        ("entropy = 0.9197", "Entropy = 0.9197", "did you mean 'entropy'?"),
        ("flip", "flop", "did you mean 'flip'?"),
        ("[thresholds.angry]", "[thresholds.angri]", "did you mean 'angry'?"),
        ("[thresholds.angry]", "[threshold.angry]", "did you mean 'thresholds'?"),
        ("exclusions", "exclusion", "did you mean 'exclusions'?"),
        ("[fitted]", "[fited]", "did you mean 'fitted'?"),
        ("sentiment", "q", "known are entropy, varentropy"),
        ("entropy = 0.9197", 'entropy = "0.9197"', "entropy is '0.9197'; a number"),
        ("entropy = 0.9197", "entropy = true", "entropy is True; a number"),
        ("entropy = 0.9197", "entropy = -0.9", "at least 0"),
        ("entropy = 0.9197", "entropy = nan", "a number"),
        ("entropy = 0.9197", "entropy = inf", "a number"),
        ("entropy = 0.9197", "entropy = [1]", "a number"),
        ("sentiment = 0.35", "sentiment = {}", "a number"),
        ("sentiment = 0.35", "sentiment = 1.5", "at least 0 and at most 1"),
        ("format = 1", f'{SECOND}method = "selektion"', "did you mean 'selection'?"),
        ("format = 1", f'{SECOND}sentiments = {{ glad = ["happy"] }}', "by sentiment are wanted"),
        ("format = 1", f'{SECOND}sentiments = {{ positive = ["joy"] }}', "list of the classes"),
        ("flagged = 38", "flagged = 38.5", "a count is wanted"),
        ("flagged = 38", "flagged = -1", "a count is wanted"),
        ("detected = 26", "detected = true", "a count is wanted"),
        ("flip = true", "flip = 1", "true or false is wanted"),
        ("flip = true", 'flip = "true"', "true or false is wanted"),
        ('"simple"', '"Simple"', "refer or simple or direct is wanted"),
        ('"simple"', "3", "refer or simple or direct is wanted"),
        ("varentropy = 0.4298", "", "give both or neither"),
        ("entropy = 0.9197", "", "give both or neither"),
        ("flagged = 38", "reason = 38", "reason"),
        ('["happy", "neutral"]', '["happy", "neutrl"]', "is not [from, to] of angry, happy"),
        ('["happy", "neutral"]', '["happy"]', "is not [from, to] of angry, happy"),
        ('["happy", "neutral"]', '["happy", "happy"]', "is not [from, to] of angry, happy"),
        ('["happy", "neutral"]', '"happy"', "is not [from, to] of angry, happy"),
        ('["happy", "neutral"]', '[["happy"], "neutral"]', "is not [from, to] of angry, happy"),
        ('[["happy", "neutral"]]', '"happy"', "is not a list of [from, to]"),
        ("format = 1", "format = 3", "format is 3, this version reads 1 and 2"),
        ("format = 1", "format = 2", "no classes in it"),
        ("format = 1", 'format = "1"', "format is '1', this version reads 1"),
        ("format = 1", "format = true", "format is True, this version reads 1"),
        ("format = 1", "", "format is None, this version reads 1"),
        ("[fitted]", "[q]", "'q' is not a name that the file has; known are exclusions"),
        ("format = 1", "format 1", "not TOML"),
        ("flip = true", "flip = yes", "not TOML"),
        ("flagged = 38", "entropy = 1", "not TOML"),
        ("[thresholds.angry.firmness]", "[thresholds.angry.firmnes]", "did you mean 'firmness'?"),
        ("equal_pairs = 12", "equal_pair = 12", "did you mean 'equal_pairs'?"),
        ("equal_pairs = 12", "equal_pairs = 1.5", "a count is wanted"),
        ("resamples = 200", "resamples = -1", "a count is wanted"),
        ("[0.8, 1.1]", "[0.8]", "[from, to] is wanted"),
        ("[0.8, 1.1]", '[0.8, "1.1"]', "[from, to] is wanted"),
        ("[0.8, 1.1]", "0.8", "[from, to] is wanted"),
        ("61.2", '"61.2"', "left_out_accuracy is not a number"),
        ("equal_pairs = 12", "", "has no equal_pairs"),
    ],
)
def test_anything_amiss_is_refused_with_a_hint(file: Path, old: str, new: str, hint: str) -> None:
    # Whole words only: `entropy` is not the end of `varentropy`.
    content, found = re.subn(rf"(?<!\w){re.escape(old)}", lambda _: new, HAND_WRITTEN, count=1)
    assert found
    assert hint in refusal(file, content)


def test_a_file_without_thresholds_is_refused(file: Path) -> None:
    assert "no [thresholds.CLASS] in it" in refusal(file, "format = 1\n")


def test_a_class_that_stands_for_no_sentiment_is_read_back(file: Path) -> None:
    task = FOUR.with_sentiments(["happy=none"])
    fitted = Fitted(Selection(task, Rules({"sad": rule(1.0, 0.5)})))
    assert parse(file, to_toml(fitted)).method.task.sentiments["positive"] == ()


@pytest.mark.parametrize("name", ["thresholds", "fitted"])
def test_a_section_that_is_a_value_is_refused(file: Path, name: str) -> None:
    assert f"write [{name}]" in refusal(file, f"format = 1\n{name} = 3\n")


def test_a_class_that_is_a_value_is_refused(file: Path) -> None:
    assert "write [thresholds.angry]" in refusal(file, "format = 1\nthresholds.angry = 3\n")


def test_a_missing_file_is_told_from_a_bad_one(tmp_path: Path) -> None:
    with pytest.raises(ThresholdsError, match=r"t\.toml: No such file .*emobatch calibrate"):
        read(tmp_path / "t.toml")


@pytest.mark.parametrize("value", ["[" * 10_000, "9" * 10_000], ids=["brackets", "digits"])
def test_a_value_without_end_is_refused(file: Path, value: str) -> None:
    assert "not TOML" in refusal(file, f"format = {value}\n")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_text_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(ThresholdsError, match="not TOML"):
        read(file)


def test_a_byte_order_mark_is_no_harm(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + HAND_WRITTEN.encode())
    assert read(file) == parse(file, HAND_WRITTEN)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ThresholdsError, match="directory"):
        read(tmp_path)
