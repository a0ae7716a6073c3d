"""The demo: synthetic emotional speech, and three toy checkpoints that were trained on it.

The speech: ``sentences`` (what is said), ``voices`` (by whom), ``prosody`` (how), ``synthesis``
(espeak-ng) and ``corpus`` (clips and their manifest). The toys: ``train`` makes ``checkpoints``,
``measure`` says how well they do. ``walkthrough`` is what `emobatch demo` shows.
"""
