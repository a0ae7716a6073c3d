"""Schemes: what tests and what validates in each fold. One file each, imported when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emobatch.registry import Registry

if TYPE_CHECKING:
    from emobatch.splits.scheme import Scheme

SCHEMES: Registry[Scheme] = Registry(
    "scheme",
    {
        "iemocap10": "emobatch.splits.schemes.iemocap10:IEMOCAP10",
        "msp-improv6": "emobatch.splits.schemes.msp_improv6:MSP_IMPROV6",
        "last-session": "emobatch.splits.schemes.last_session:LAST_SESSION",
        "random-80-10-10": "emobatch.splits.schemes.random_tenths:RANDOM_TENTHS",
        "speaker": "emobatch.splits.schemes.leave_out:SPEAKER",
        "session": "emobatch.splits.schemes.leave_out:SESSION",
        "script": "emobatch.splits.schemes.leave_out:SCRIPT",
        "speaker+script": "emobatch.splits.schemes.speaker_and_script:SPEAKER_AND_SCRIPT",
    },
)
