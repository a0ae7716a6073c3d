"""``python -m emobatch``."""

from emobatch.cli.main import run

if __name__ == "__main__":
    run()
