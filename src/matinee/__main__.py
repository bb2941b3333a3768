"""``python -m matinee`` is the command line."""

from matinee.cli import main

if __name__ == "__main__":
    main()
