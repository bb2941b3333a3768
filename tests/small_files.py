"""Small files of ratings for tests, and what was read of them."""

from pathlib import Path

from matinee.data.ratings import Ratings


def write(folder: Path, text: str | bytes, name: str = "r.csv") -> Path:
    """A file with this text; other encodings than UTF-8 come as bytes."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def triples(ratings: Ratings) -> list[tuple[str, str, float]]:
    """User, item and rating of each, in their order."""
    users, items = ratings.users.ids[ratings.user], ratings.items.ids[ratings.item]
    return list(zip(users.tolist(), items.tolist(), ratings.rating.tolist(), strict=True))
