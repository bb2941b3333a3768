"""Numbers in words, as every message, table and page says them."""

PLURALS = {"person": "people"}  # of the nouns that do not end in -s


def counted(n: int, noun: str) -> str:
    """``1 rating``, ``2,000 ratings``, ``0 people``."""
    return f"{n:,} {plural(n, noun)}"


def plural(n: int, noun: str) -> str:
    """The noun as it goes with a number: ``rating`` with 1, else ``ratings``."""
    return noun if n == 1 else PLURALS.get(noun, f"{noun}s")
