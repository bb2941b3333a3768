"""User metadata, such as age or occupation. Optional everywhere."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from matinee.data.ids import as_id

# Ages from which a group of people begins, as MovieLens asks for them.
AGES = (0, 18, 25, 35, 45, 50, 56)


@dataclass(frozen=True)
class Profiles:
    """Features of users by id: ``{"42": {"age": "25-34", "gender": "F"}}``."""

    entries: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, features: Mapping[object, Mapping[str, object]]) -> "Profiles":
        """From ``{user id: {name: value}}``; an age becomes the group that it falls into."""
        return cls(
            {
                as_id(user): {name: grouped(name, value) for name, value in values.items()}
                for user, values in features.items()
            }
        )

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __getitem__(self, user_id: str) -> Mapping[str, str]:
        return self.entries.get(user_id, {})


NO_PROFILES = Profiles({})


def grouped(name: str, value: object) -> str:
    """A value as text; an age in years as its group: ``25-34``, ``under 18``, ``56+``."""
    text = str(value).strip()
    if name.casefold() != "age" or not text.isdecimal():
        return text
    place = sum(int(text) >= age for age in AGES) - 1
    if place == 0:
        return f"under {AGES[1]}"
    if place == len(AGES) - 1:
        return f"{AGES[-1]}+"
    return f"{AGES[place]}-{AGES[place + 1] - 1}"
