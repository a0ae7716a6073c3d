"""What `calibrate` found, on the terminal."""

from __future__ import annotations

from emobatch.cli.console import console, metrics_table
from emobatch.cli.views.sections import show_sections
from emobatch.fusion.calibration import Calibration


def show_calibration(calibration: Calibration) -> None:
    """Print to standard error what was fitted, and how it does on the rows it was fitted on.

    Args:
        calibration: the method with the figures on those rows.
    """
    out = console(stderr=True)
    show_sections(calibration.fitted.method.describe(), out)
    if drawn := calibration.fitted.fitted.get("bootstrap"):
        note = f" ({drawn['note']})" if drawn["note"] else ""
        out.print(
            f"95 %: of what is fitted on {drawn['resamples']} bootstrap resamples of "
            f"{drawn['units']} {drawn['unit']}s{note}"
        )
    out.print(metrics_table({"before": calibration.before, "after": calibration.after}))
