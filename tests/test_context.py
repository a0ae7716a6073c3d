"""Rows of a dialogue decided together, against all sequences of classes gone through one by one."""

from __future__ import annotations

import fusion_reference as reference
import numpy as np
import polars as pl
import pytest

from emobatch.errors import TableError
from emobatch.fusion.adapt import Adapted
from emobatch.fusion.context.chains import chains
from emobatch.fusion.context.smoothing import chance_of_labels, likeliest_chance, smoothed
from emobatch.fusion.logistic.method import Logistic
from emobatch.fusion.logistic.regression import softmax
from emobatch.tasks.four import FOUR

FINAL = [f"final_{name}" for name in reference.CLASSES]


def some_rows(seed: int = 0) -> tuple[pl.DataFrame, np.ndarray]:
    """Rows of chains of 1 to 6 rows, in no order, with posteriors."""
    rng = np.random.default_rng(seed)
    lengths = [1, 6, 3, 5, 2, 6, 4, 1, 6, 6]
    rows = pl.DataFrame(
        [
            {"dialogue": f"d{number // 2}", "speaker": "AB"[number % 2], "turn": 7 * turn + number}
            for number, length in enumerate(lengths)
            for turn in range(length)
        ]
    )
    order = rng.permutation(len(rows))
    return rows[order], rng.dirichlet([0.5] * 4, len(rows))


def by_chain(rows: pl.DataFrame) -> list[list[int]]:
    """Row numbers of each chain in turn order."""
    numbered = rows.with_row_index().sort("turn")
    keys = {(row["dialogue"], row["speaker"]) for row in rows.to_dicts()}
    return [
        numbered.filter(dialogue=dialogue, speaker=speaker)["index"].to_list()
        for dialogue, speaker in sorted(keys)
    ]


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.85, 1.0])
def test_posteriors_are_those_of_all_sequences(rho: float) -> None:
    rows, posteriors = some_rows()
    found = smoothed(posteriors, chains(rows), rho)
    for numbers in by_chain(rows):
        expected = reference.together([posteriors[number] for number in numbers], rho)
        assert found[numbers] == pytest.approx(np.array(expected), abs=1e-9)


@pytest.mark.parametrize("seed", range(2))
def test_the_chance_is_the_one_of_the_highest_likelihood(seed: int) -> None:
    rows, posteriors = some_rows(seed)
    sums = {
        round(0.05 * step, 2): sum(
            np.log(reference.likelihood([posteriors[number] for number in numbers], 0.05 * step))
            for numbers in by_chain(rows)
        )
        for step in range(20)
    }
    assert likeliest_chance(posteriors, chains(rows)) == max(sums, key=lambda rho: sums[rho])


def test_the_chance_of_labels_is_that_of_the_formula() -> None:
    rows = pl.DataFrame({"dialogue": ["d"] * 6, "speaker": ["A"] * 6, "turn": [1, 2, 3, 4, 5, 6]})
    labels = np.array([0, 0, 1, -1, 1, 1])  # pairs: 00, 01, 11; what has no label has no pair
    diagonal = np.mean([(1 + 1) / (2 + 2), (1 + 1) / (1 + 2)])
    assert chance_of_labels(labels, chains(rows), 2) == pytest.approx((diagonal - 0.5) / 0.5)


def test_neighbours_that_share_fewer_labels_than_chance_are_no_reason_to_push_apart() -> None:
    rows = pl.DataFrame({"dialogue": "d", "speaker": "A", "turn": range(40)})
    assert chance_of_labels(np.arange(40) % 2, chains(rows), 2) == 0


def test_ids_like_those_of_iemocap_say_who_speaks_when() -> None:
    ids = ["Ses01F_impro01_M002", "Ses01F_impro01_F000", "Ses01F_impro01_M001", "other"]
    found = chains(pl.DataFrame({"id": ids}))
    assert [step.tolist() for step in found.steps()] == [[2, 1], [0]]


def test_turns_of_a_table_of_text_are_numbers() -> None:
    rows = pl.DataFrame({"dialogue": "d", "speaker": "A", "turn": ["10", "9"]})
    assert [step.tolist() for step in chains(rows).steps()] == [[1], [0]]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({"id": ["a", "b"]}, "no row says its dialogue, speaker, turn"),
        ({"dialogue": ["d", "d"]}, "no columns dialogue, speaker, turn"),
        ({"dialogue": ["d", "d"], "speaker": ["A", "A"], "turn": [1, 1]}, "share their turn"),
    ],
    ids=["ids", "columns", "turns"],
)
def test_rows_that_say_not_where_they_belong_are_refused(
    rows: dict[str, list[object]], said: str
) -> None:
    with pytest.raises(TableError, match=said):
        chains(pl.DataFrame(rows))


def test_the_context_of_a_method_is_that_of_its_untempered_posteriors() -> None:
    rows = reference.table()
    method = Logistic.fit(rows, FOUR, context="dialogue", centre="none")
    assert method.rho is not None
    plain = Logistic.fit(rows, FOUR, centre="none").decide(rows.lazy()).collect()
    logits = np.log(plain.select(FINAL).to_numpy()) * method.model.temperature
    posteriors = softmax(logits)
    found = chains(rows)
    batch = likeliest_chance(posteriors, found)
    assert 0 < min(batch, method.rho) < 1
    expected = smoothed(posteriors, found, min(batch, method.rho))
    decided = method.decide(rows.lazy()).collect()
    assert decided.select(FINAL).to_numpy() == pytest.approx(expected, abs=1e-9)
    changed = (decided["emotion"] != plain["emotion"]).to_numpy()
    assert changed.any()
    assert ((decided["decided_by"] == "context").to_numpy() == changed).all()


def test_the_smaller_chance_counts() -> None:
    rows = reference.table()
    # Labels that say nothing of their neighbours.
    labels = rows["label"].sample(fraction=1.0, shuffle=True, seed=0)
    method = Logistic.fit(rows.with_columns(label=labels), FOUR, context="dialogue")
    assert method.rho is not None
    assert method.rho < 0.1
    plain = Logistic.fit(rows.with_columns(label=labels), FOUR)
    one, other = (each.decide(rows.lazy()).collect()["emotion"] for each in (method, plain))
    assert (one != other).mean() < 0.05


def test_adapting_takes_the_speaker_s_mean_away() -> None:
    rows = reference.table()
    dicts = rows.to_dicts()
    heard = [reference.speech_of(row) for row in dicts]
    usual = np.mean([*reference.means(heard, dicts).values()], axis=0)
    features = reference.centred(heard, dicts, usual)
    found = Adapted(FOUR).decide(rows.lazy()).collect()
    expected = [reference.CLASSES[int(each.argmax())] for each in features]
    assert found["emotion"].to_list() == expected
    assert set(found["decided_by"]) == {"speech"}
    plain = [reference.CLASSES[int(each.argmax())] for each in heard]
    assert found["emotion"].to_list() != plain


def test_adapting_with_context_goes_by_the_chance_of_the_batch() -> None:
    rows = reference.table()
    posteriors = Adapted(FOUR).decide(rows.lazy()).collect().select(FINAL).to_numpy()
    found = chains(rows)
    expected = smoothed(posteriors, found, likeliest_chance(posteriors, found))
    decided = Adapted(FOUR, context=True).decide(rows.lazy()).collect()
    assert decided.select(FINAL).to_numpy() == pytest.approx(expected, abs=1e-9)
    assert "context" in set(decided["decided_by"])
