"""`--where` means what PostgreSQL means by it, or is refused."""

from __future__ import annotations

import math
from collections.abc import Callable

import polars as pl
import pytest
from click.testing import Result
from refusals import refusal
from samples import csv, score_rows

from emobatch.errors import TableError
from emobatch.tables.where import filter_rows


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ("b IS NOT TRUE", [1, 2]),
        ("b IS NOT FALSE", [0, 2, 3]),
        ("(b IS TRUE) IS FALSE", [1, 2]),
        ("NOT (k > 3 AND b IS TRUE)", [0, 1, 2]),
        ("(length(s) - 3 < 0) IS TRUE", [0]),
        ("b ISNULL", [2]),
        ("b IS NOT UNKNOWN", [0, 1, 3]),
        ("b = 'true'", [0, 3]),
        ("k / 2.0 = 3.5", [3]),
        ("x / 2 = 1.25", [1]),
        ("mod(k, 4) = -3", [0]),
        ("div(k, 2) = -3", [0]),
        ("round(x) = 2", [1, 3]),
        ("k::int = 7", [3]),
        ("k::text = '7'", [3]),
        ("small - 5 < 0", [0, 3]),
        ("-small = -1", [0]),
        ("small + 10 > 255", [2]),
        ("s ~ 'a.c'", [3]),
        ("s !~ 'a.c'", [0, 1]),
        ("k NOT IN (1, NULL)", []),
        ("b IS DISTINCT FROM TRUE", [1, 2]),
        ("x > 100", [2]),
    ],
)
def test_where_means_what_postgresql_does(where: str, wanted: list[int]) -> None:
    found = filter_rows(
        pl.LazyFrame(
            {
                "n": [0, 1, 2, 3],
                "b": [True, False, None, True],
                "k": [-7, 3, 2, 7],
                "x": [0.1, 2.5, math.nan, 2.0],
                "s": ["a", "a%bc", None, "a\nc"],
                "small": pl.Series([1, 5, 250, 0], dtype=pl.UInt8),
            }
        ),
        where,
    )
    assert found.collect()["n"].to_list() == wanted


@pytest.mark.parametrize(
    ("where", "remedy"),
    [
        ("k / 2 = 3", "write a fraction, as k / 2.0"),
        ("name / 2 = 3", "write a fraction, as name / 2.0"),
        ("length(name) / 2 = 3", "write a fraction"),
        ("x::int = 2", r"write round\(...\) or floor"),
        ("(name + 1)::int = 2", r"write round\(...\) or floor"),
        ("x::text = '2'", "compare them as numbers"),
        ("name || x = 'a2'", "compare them as numbers"),
        ("x::numeric(3, 1) = 2", "cast to bigint"),
        ("name::varchar(1) = 'a'", "cast to bigint"),
        (r"name LIKE 'a\%c'", "use a regular expression"),
        ("name LIKE 'a!%c' ESCAPE '!'", "use a regular expression"),
        ("name = true", "'name' holds text, neither true nor false"),
        ("k IS TRUE", "'k' holds Int64, neither true nor false"),
        ("b = 'yes'", "compare it with true or false, not with 'yes'"),
        ("log10(x) > 1", r"write ln\(x\) / ln"),
        ("k = max(k)", "about more rows than one"),
        ("row_number() OVER () < 3", "about more rows than one"),
        ("name SIMILAR TO 'a'", "SIMILAR TO is not known here"),
        ("k BETWEEN SYMMETRIC 3 AND 1", "SYMMETRIC is not known here"),
        ("name COLLATE \"C\" < 'b'", "not known here"),
        ("name ~ '('", "no regular expression: unclosed group"),
    ],
)
def test_where_refuses_what_polars_and_postgresql_read_apart(where: str, remedy: str) -> None:
    rows = pl.LazyFrame({"name": ["a"], "k": [1], "x": [1.5], "b": [True]})
    with pytest.raises(TableError, match=remedy) as refusal:
        filter_rows(rows, where)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("command", ["evaluate", "calibrate", "report", "crossval"])
def test_where_that_keeps_no_row_says_so(cli: Callable[..., Result], command: str) -> None:
    options = {"report": ["-o", "page.html"], "crossval": ["--by", "session"]}.get(command, [])
    said = refusal(cli(command, *options, "--where", "session = '4'", input=csv(score_rows(24))))
    assert "--where keeps none of 24 rows; look at the values that it compares" in said
