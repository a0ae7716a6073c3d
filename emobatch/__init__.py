"""Batch speech emotion recognition from an acoustic and a textual branch.

The modules in the order in which data passes through them:

- in: ``manifest`` (rows), ``shards`` (a job's part of them), ``audio`` (files to samples),
  ``decoding`` (ahead of the models), ``batches``
- scores: ``speech`` (the primary branch), ``transcription``, ``cleaning`` and ``sentiment`` (the
  secondary branch), ``utterances`` (a clip on its way), ``cascade`` (which of them are read),
  ``scoring`` (the whole job) and ``parts`` (its saved work), ``score_table``
- divided: ``schemes`` and ``folds`` (what trains and what tests), ``splits`` (the column that
  says so), ``leakage``, ``duplicates`` and ``audit`` (what test shares with train)
- decisions: ``uncertainty`` (entropy, varentropy), ``fusion`` (Algorithm 1), ``detection`` and
  ``calibration`` (fit ``thresholds``), ``apply`` (final emotions), ``evaluate`` (figures);
  ``crossval`` (all of it by fold), of ``fold_scores`` into ``fold_figures``

Beside the path: ``choice``, ``checkpoints``, ``devices``, ``classifiers`` and ``branches`` choose
and load models; ``tables`` reads and ``outputs`` writes files; ``console`` and ``progress`` show
things; ``commands`` parses the command line and calls one function for each; ``demo`` is speech
and toy models of our own.

Source of the method: Chua, Wong, Chen and Miao, "Speech Emotion Recognition via Entropy-Aware
Score Selection".
"""

__version__ = "0.1.0"
