"""What ``import emobatch`` gives: scoring, fitting, deciding and measuring on frames.

Nothing here prints, writes a file, takes a signal or ends the process. Notes go to the logger
``emobatch``.
"""

from __future__ import annotations

import logging

# Where nobody has set up logging, Python would print warnings.
logging.getLogger("emobatch").addHandler(logging.NullHandler())
