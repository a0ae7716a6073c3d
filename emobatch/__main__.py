"""``python -m emobatch``."""

from emobatch.cli import main

if __name__ == "__main__":
    main()
