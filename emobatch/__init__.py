"""Batch speech emotion recognition from an acoustic and a textual branch.

The modules in the order in which data passes through them:

- in: ``manifest`` (rows), ``shards`` (a job's part of them), ``clips`` (what they name),
  ``audio`` (files to samples), ``decoding`` (ahead of the models), ``batches``
- scores: ``speech`` (the primary branch), ``transcription``, ``cleaning`` and ``sentiment`` (the
  secondary branch), ``utterances`` (a clip on its way), ``cascade`` (which of them are read),
  ``scoring`` (the whole job) and ``parts`` (its saved work), ``score_table``
- decisions: ``uncertainty`` (entropy, varentropy), ``fusion`` (Algorithm 1), ``detection`` and
  ``calibration`` (fit ``thresholds`` on ``labelled`` rows), ``firmness`` (of what was fitted),
  ``apply`` (final emotions)
- figures: ``evaluate`` of ``evaluation``, ``crossvalidation`` (folds, what they leak, all of the
  above in each), ``reporting`` (a page to look at), ``verify`` (scores, once more)

Beside the path: ``choice``, ``hub``, ``checkpoints``, ``models``, ``devices``, ``classifiers`` and
``branches`` choose and load models, ``doctor`` tries them before a run; ``pipeline`` works ahead;
``tables`` reads and ``outputs`` writes files; ``console`` and ``progress`` show things;
``commands`` parses the command line and calls one function for each; ``demo`` is speech and toy
models of our own.

Source of the method: Chua, Wong, Chen and Miao, "Speech Emotion Recognition via Entropy-Aware
Score Selection".
"""

__version__ = "0.1.0"
