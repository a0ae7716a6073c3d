"""What a table or a thresholds file says of its making."""

from __future__ import annotations

import os
import platform
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from emobatch import __version__
from emobatch.errors import ThresholdsError
from emobatch.tasks.choose import CLASS_SETS, DEFAULT

SCORING_PACKAGES = (
    "torch",
    "transformers",
    "tokenizers",
    "ctranslate2",
    "faster-whisper",
    "contractions",
    "simplemma",
    "soundfile",
    "pyworld-prebuilt",
    "soxr",
    "av",
)
# Options that no score depends on, where a row has any.
OF_NO_SCORE = ("gate", "label_column")
# The speech branch's second model, which only some runs have.
SECOND = "emotional"
# What was called otherwise, by the part of provenance that it is in.
RENAMED = (
    ("models", "sentiment", "text"),
    ("options", "sentiment_label_map", "text_label_map"),
)


def software(packages: Iterable[str]) -> dict[str, str]:
    """Versions of emobatch, Python and the packages named.

    Args:
        packages: names of distributions.

    Returns:
        Version by name; packages that aren't installed are left out.
    """
    found = {"emobatch": __version__, "python": platform.python_version()}
    for package in packages:
        if installed := _installed(package):
            found[package] = installed
    return found


@cache  # packages don't change while one runs, and all that are installed are looked through
def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def date() -> str:
    """Today, or the day that SOURCE_DATE_EPOCH names, so that a file can be made again.

    Returns:
        The date in UTC, as in ``2026-01-31``.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdigit() else datetime.now(UTC)
    return now.date().isoformat()


def current(made: Mapping[str, Any]) -> dict[str, Any]:
    """Read what an older version stored as this version would have stored it.

    The text branch was once called ``sentiment``, and all tables were of the four classes.

    Args:
        made: what a table or a thresholds file says of its making.

    Returns:
        The same in this version's words.

    Examples:
        >>> current({"models": {"sentiment": {"name": "demo"}}})
        {'models': {'text': {'name': 'demo'}}}
    """
    words = dict(made)
    for part, before, now in RENAMED:
        entries = words.get(part)
        if isinstance(entries, Mapping) and before in entries and now not in entries:
            words[part] = {now if key == before else key: entries[key] for key in entries}
    if "models" in words and "options" in words and "task" not in words:
        words["task"] = CLASS_SETS[DEFAULT].as_dict()
    return words


def same_models(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two runs used the same checkpoints, as far as both are known.

    Args:
        one: models of a run by branch, each with ``name``, ``revision``, ``digest`` (of the
            weights) and ``settings`` (of what else decides: configuration, vocabulary, …).
        other: those of another run.

    Returns:
        False where a branch's weights differ by digest, or by name where a digest is unknown, or
        its settings do.
    """
    return all(_differ(one, other, branch) is None for branch in {*one, *other})


def model_difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
    """Name what tells two checkpoints of a branch apart.

    Args:
        one: as stored: ``name``, ``digest`` and ``settings``. Older tables lack the settings.
        other: another one.

    Returns:
        ``name``, ``digest`` or ``settings``; None where all that is known of both is the same.
    """
    both = [key for key in ("digest", "settings") if one.get(key) and other.get(key)]
    keys = both if "digest" in both else ["name", *both]
    return next((key for key in keys if one.get(key) != other.get(key)), None)


def check_models(
    models: Mapping[str, Any], fitted: Mapping[str, Any], file: Path, remedy: str
) -> None:
    """Refuse scores of other models than the thresholds were fitted on, where both are known.

    Args:
        models: those of the scores, by branch.
        fitted: what a thresholds file says of its making.
        file: where they were read from.
        remedy: what the user can do about it.

    Raises:
        ThresholdsError: names the models that differ.
    """
    if differing := _other_models(models, fitted):
        raise ThresholdsError(
            f"{file}: fitted on scores of other models: {'; '.join(differing)}; {remedy}"
        )


def foreign(
    made: Mapping[str, Any], manifests: Collection[str], fitted: Mapping[str, Any]
) -> list[str]:
    """Say in what scores differ from those that thresholds were fitted on, where both are known.

    Args:
        made: what the scores were made with.
        manifests: digests of those that were scored.
        fitted: what a thresholds file says of its making.

    Returns:
        A phrase for each difference: models, language, manifest.

    Examples:
        >>> foreign({"options": {"language": "de"}}, ["a"], {"language": "en", "manifests": ["a"]})
        ['--language de is not en']
    """
    models, options = made.get("models") or {}, made.get("options") or {}
    differing = _other_models(models, fitted)
    if models and not fitted.get("models"):
        differing.append("it doesn't name the models that it was fitted on")
    if not options.get("text"):  # else no text was asked for
        mine, theirs = _languages(options), _languages(fitted)
        differing += [
            f"--{name.replace('_', '-')} {mine[name]} is not {theirs[name]}"
            for name in mine
            if name in theirs and mine[name] != theirs[name]
        ]
    known = fitted.get("manifests") or ()
    if known and not set(manifests) <= set(known):
        tables = ", ".join(map(str, fitted.get("tables") or ()))
        differing.append(f"the rows are of another manifest than those of {tables}")
    return differing


def _languages(options: Mapping[str, Any]) -> dict[str, Any]:
    names = ("language", "transcript_language")
    return {name: options[name] for name in names if options.get(name)}


def _other_models(models: Mapping[str, Any], fitted: Mapping[str, Any]) -> list[str]:
    theirs = current(fitted).get("models") or {}
    return [
        f"{branch} model {_describe(models.get(branch, {}), key)} is not "
        f"{_describe(theirs.get(branch, {}), key)}"
        for branch in {**models, **theirs}
        if (key := _differ(models, theirs, branch))
    ]


def _differ(one: Mapping[str, Any], other: Mapping[str, Any], branch: str) -> str | None:
    # A branch that is unknown makes no difference; but where the speech model is known, so is
    # whether it was one of two.
    both = (one, other)
    if any(branch not in each and not (branch == SECOND and "speech" in each) for each in both):
        return None
    return model_difference(one.get(branch, {}), other.get(branch, {}))


def _describe(model: Mapping[str, Any], key: str) -> str:
    value = str(model.get("settings" if key == "settings" else "digest") or "")
    what = "settings " if key == "settings" else ""
    name = str(model.get("name") or "none")
    return f"{name} ({what}{value[:15]})" if value else name


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Name what differs between two runs.

    Args:
        one: what one was made with.
        other: what the other was.

    Returns:
        Keys of ``other`` with another value in ``one``, as ``options.beam_size``.

    Examples:
        >>> differences({"options": {"beam_size": 1}}, {"options": {"beam_size": 5}})
        ['options.beam_size']
    """
    differing = []
    for key, wanted in other.items():
        found = one.get(key)
        if key == "models" and isinstance(found, Mapping) and isinstance(wanted, Mapping):
            differing += _model_keys(found, wanted)
        elif isinstance(found, Mapping) and isinstance(wanted, Mapping):
            names = [name for name in {**found, **wanted} if found.get(name) != wanted.get(name)]
            differing += [f"{key}.{name}" for name in names]
        elif found != wanted:
            differing.append(key)
    return differing


def _model_keys(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    differing = []
    for branch in {**one, **other}:
        mine, theirs = one.get(branch), other.get(branch)
        if not isinstance(mine, Mapping) or not isinstance(theirs, Mapping):
            differing += [] if mine == theirs else [f"models.{branch}"]
            continue
        # Of tables of before no settings are known.
        known = [key for key in theirs if key in mine or key != "settings"]
        differing += [f"models.{branch}.{key}" for key in known if mine.get(key) != theirs[key]]
    return differing


def run_differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Name what keeps the rows of two runs from being read as one table.

    Args:
        one: provenance of a score table.
        other: that of another.

    Returns:
        ``models``, ``classes``, and versions and options by name. Python's own version makes no
        difference, nor does the gate: what it left out says so itself; nor does the column that
        labels are in, which `score` doesn't read.
    """
    known = {
        part: {key: value for key, value in other.get(part, {}).items() if part in one}
        for part in ("software", "options")
    }
    mine = {part: one.get(part, {}) for part in known}
    for each in (known, mine):
        each["software"] = {k: v for k, v in each["software"].items() if k != "python"}
        each["options"] = {k: v for k, v in each["options"].items() if k not in OF_NO_SCORE}
    differing = [] if same_models(one["models"], other["models"]) else ["models"]
    if "task" in one and "task" in other and one["task"] != other["task"]:
        differing.append("classes")
    return differing + differences(mine, known)
