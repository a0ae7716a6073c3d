"""Batch speech emotion recognition from an acoustic and a textual branch.

The modules in the order in which data passes through them:

``manifest`` (rows in), ``audio`` (files to samples), ``batches`` (samples to batches),
``speech`` (the primary branch), ``transcription``, ``cleaning`` and ``sentiment`` (the secondary
branch), ``score_table`` (what ``scoring`` writes), ``uncertainty`` (entropy, varentropy),
``fusion`` (Algorithm 1), ``calibration`` (fits ``thresholds``), ``apply`` (final emotions) and
``evaluate`` (figures). ``commands`` parses the command line and calls one function for each.

Source of the method: Chua, Wong, Chen and Miao, "Speech Emotion Recognition via Entropy-Aware
Score Selection".
"""

__version__ = "0.1.0"
