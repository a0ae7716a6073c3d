"""What `emobatch --help` says of each command, so that listing them imports none.

Generated from the commands' own help: run `cog -r emobatch/cli/commands/summaries.py` after a
change.
"""
# ruff: noqa: E501 - each is as long as its sentence is

SUMMARIES = {
    # [[[cog
    # import cog
    # from emobatch.cli.main import main
    # from emobatch.cli.lazy import summary
    # for name, command in main.commands.items():
    #     cog.outl(f'    "{name}": "{summary(command)}",')
    # ]]]
    "demo": "Show the whole job on synthetic speech and toy models, in FOLDER.",
    "models": "List the models that `score` would need, and whether they are on this machine.",
    "doctor": "Check on this machine all that `score` with these options would need.",
    "manifest": "Make a manifest of SOURCE, or of CORPUS in the folder DIR as its owners ship it.",
    "folds": "Add columns `fold` and `split` (train, val, test) to MANIFEST.",
    "leakage": "List what the test rows of MANIFEST share with its training rows.",
    "features": "Add columns of acoustic features to MANIFEST, computed of the audio of each row.",
    "train": "Fine-tune a speech or a text model on the rows of a manifest.",
    "plan": "Say how much MANIFEST is, how long scoring it would take here, and in how many shards.",
    "score": "Score every clip of MANIFEST with the speech and the text branch.",
    "merge": "Join the tables that `score --shard` wrote into one, in the manifest's order.",
    "verify": "Score a sample of the rows of SCORES again, one at a time, and compare.",
    "calibrate": "Fit a method of fusion on the labelled rows of SCORES.",
    "apply": "Decide the final emotion of every row of SCORES.",
    "judge": "Let a language model review the emotions of FINAL.",
    "evaluate": "Measure labelled rows of FINAL: UA, WA and macro F1, before and after fusion.",
    "crossval": "Fit methods in each fold of SCORES and measure them on its test rows.",
    "report": "Write one HTML page about FINAL: figures, what was fitted, and the rows that changed.",
    # [[[end]]]
}
