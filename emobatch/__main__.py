"""``python -m emobatch``."""

from emobatch.cli import run

if __name__ == "__main__":
    run()
