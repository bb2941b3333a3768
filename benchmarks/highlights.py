"""The table of README: lists of the default beside the best tuned peer, from what was measured.

python benchmarks/highlights.py    # after beside_peers.py, which measures
"""

from typing import NamedTuple

from beside_peers import FILE, PEERS
from data import ROOT
from jobs import LIST_LENGTH, Row, read_rows
from tables import markdown, with_tables

PAGE = ROOT / "README.md"
METRIC = f"ndcg@{LIST_LENGTH}"
SURE = 1.96  # standard errors, below which a difference is called a draw


class Data(NamedTuple):
    """What a data set is, in words."""

    name: str
    kind: str


SHOWN = {
    "ml-100k": Data("MovieLens 100K", "films, 1 to 5 stars"),
    "ml-latest-small": Data("MovieLens latest small", "films, half stars"),
    "filmtrust": Data("FilmTrust", "films, half stars"),
    "ciao": Data("Ciao", "products, 1 to 5 stars"),
    "jester": Data("Jester", "jokes, -10 to 10"),
    "lastfm": Data("Last.fm", "artists, plays"),
    "steam": Data("Steam", "games, purchases"),
    "foursquare": Data("Foursquare", "places, visits"),
    "retailrocket": Data("RetailRocket", "products, views"),
}


def main() -> None:
    """Write the table into README."""
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def filled(page: str) -> str:
    """The text of README with the table as it was measured."""
    rows = [row for row in read_rows(FILE) if row["contender"] in {"default", "popularity", *PEERS}]
    lines = [line(name, [row for row in rows if row["data_set"] == name]) for name in SHOWN]
    return with_tables(page, {"lists": markdown(lines)})


def line(data_set: str, rows: list[Row]) -> Row:
    """The default, the best peer and popularity on a data set."""
    by = {row["contender"]: row for row in rows}
    own, popular = by.pop("default"), by.pop("popularity")
    best = max(by.values(), key=lambda row: row[METRIC])
    lead = best["default_less_this"]
    sure = abs(lead) > SURE * best["error_of_difference"]
    return {
        "data": SHOWN[data_set].name,
        "of": SHOWN[data_set].kind,
        "Matinee": f"{own[METRIC]:.3f}",
        "best tuned peer": f"{best[METRIC]:.3f} ({best['contender']})",
        "lead": f"{100 * lead / best[METRIC]:+.0f} %" if sure else "a draw",
        "popularity": f"{popular[METRIC]:.3f}",
    }


if __name__ == "__main__":
    main()
