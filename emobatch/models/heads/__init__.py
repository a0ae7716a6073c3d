"""Heads of speech checkpoints that transformers has no class for; each is built here, by its files.

Nothing that a checkpoint carries is run: its code is never needed.
"""
