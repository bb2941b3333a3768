"""How a source of ratings was read, and what became of its rows: nothing changes in silence."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from matinee.data.scale import Scale
from matinee.display.notebook import Grid, Part, Printable
from matinee.display.plain_data import JsonObject
from matinee.display.text import counted

MERGED = {  # what became of duplicates
    "last": "the last was kept",
    "mean": "the mean was kept",
    "sum": "their sum was kept",
    "count": "their number was kept",
}


class Case(NamedTuple):
    """One offending row: where it stands and what it says."""

    place: str  # "line 17" or "row 3"
    value: str

    def __str__(self) -> str:
        return f"{self.place}: {self.value}"


@dataclass(frozen=True)
class Finding:
    """How many rows share one flaw, and the first few of them."""

    reason: str
    count: int
    first: tuple[Case, ...] = ()

    @property
    def words(self) -> str:
        """The flaw, and where it first stands."""
        cases = "; ".join(map(str, self.first))
        more = ", ..." if self.count > len(self.first) > 0 else ""
        return self.reason + (f" ({cases}{more})" if cases else "")

    def __str__(self) -> str:
        return f"{self.count:,} {self.words}"


@dataclass(frozen=True, kw_only=True, repr=False)
class ReadReport(Printable):
    """How a source of ratings was understood, and what became of each of its rows.

    ``n_rows`` = ``n_kept`` + the rows in ``set_aside`` + ``n_merged`` duplicates.
    """

    source: str  # "ratings.csv"
    format: str  # "delimited text", "MovieLens 1M", "pandas DataFrame", ...
    columns: Mapping[str, str] = field(default_factory=dict)  # {"user_id": "UserID", ...}
    details: Mapping[str, str] = field(default_factory=dict)  # {"delimiter": "tab", ...}
    scale: Scale
    scale_from: str  # "given", "known" or "inferred"
    n_rows: int
    n_kept: int
    set_aside: tuple[Finding, ...] = ()
    n_merged: int = 0
    duplicates: str = "last"  # how duplicates were merged
    n_without_time: int = 0  # kept rows whose timestamp is unknown
    notes: tuple[str, ...] = ()

    def keeping_positives(self, threshold: float, n_below: int) -> "ReadReport":
        """The report where rows with a rating below the threshold of positives are set aside."""
        finding = Finding(f"with a rating below {threshold:g}, which is no positive", n_below)
        set_aside = (*self.set_aside, finding) if n_below else self.set_aside
        return replace(self, set_aside=set_aside, n_kept=self.n_kept - n_below)

    @property
    def n_set_aside(self) -> int:
        """How many rows were left out: something is wrong with them, or they are no positives."""
        return sum(finding.count for finding in self.set_aside)

    @property
    def losses(self) -> str:
        """In one sentence how many rows were set aside or merged away; or nothing."""
        parts = [f"{counted(self.n_set_aside, 'row')} set aside"] * bool(self.n_set_aside)
        lost = self.n_merged and self.duplicates not in ("sum", "count")  # these lose nothing
        parts += [f"{self.n_merged:,} merged into others"] * bool(lost)
        if not parts:
            return ""
        reasons = "; ".join(f"{one.count:,} {one.reason}" for one in self.set_aside)
        return (
            f"{self.source}: {self.n_kept:,} of {counted(self.n_rows, 'row')} kept, "
            f"{' and '.join(parts)}" + (f" ({reasons})" if reasons else "")
        )

    def parts(self) -> Iterator[Part]:
        yield self._source()
        yield from self._rows()
        yield from self.notes

    def _source(self) -> str:
        columns = ", ".join(
            field if field == name else f"{field} from {name}"
            for field, name in self.columns.items()
        )
        details = ", ".join(f"{name} {value}" for name, value in self.details.items())
        parts = [f"{self.source}: {self.format}", details, columns]
        return "; ".join([*filter(None, parts), f"scale {self.scale} ({self.scale_from})"])

    def _rows(self) -> list[Part]:
        lines: list[Part] = [f"{counted(self.n_rows, 'row')} read, {self.n_kept:,} kept"]
        if self.n_merged:
            pair = "another of the same user and item"
            how = MERGED[self.duplicates]
            lines.append(f"{counted(self.n_merged, 'row')} merged into {pair}: {how}")
        if self.n_set_aside:
            lines.append(f"{counted(self.n_set_aside, 'row')} set aside:")
            cells = [[f"{finding.count:,}", finding.words] for finding in self.set_aside]
            lines.append(Grid(cells, has_heading=False, left=(1,), indent=2, gap=1))
        if self.n_without_time:
            lines.append(f"{counted(self.n_without_time, 'row')} kept without a known time")
        return lines

    def to_dict(self) -> JsonObject:
        """Plain values, ready for JSON."""
        return {
            "source": self.source,
            "format": self.format,
            "columns": dict(self.columns),
            "details": dict(self.details),
            "scale": list(self.scale),
            "scale_from": self.scale_from,
            "rows": self.n_rows,
            "kept": self.n_kept,
            "set_aside": [
                {
                    "reason": finding.reason,
                    "count": finding.count,
                    "first": [case._asdict() for case in finding.first],
                }
                for finding in self.set_aside
            ],
            "merged": self.n_merged,
            "duplicates": self.duplicates,
            "without_time": self.n_without_time,
            "notes": list(self.notes),
        }
