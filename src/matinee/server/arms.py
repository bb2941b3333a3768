"""Several models for several groups of users, and ids by which lists are joined with clicks."""

import hashlib
import secrets
from collections.abc import Sequence

from matinee.errors import BadSetting
from matinee.server.snapshot import ModelSnapshot

MAIN, BESIDE = "main", "beside"  # names of the models that are no arms of their own


def check_arm_name(name: str) -> str:
    """The name unchanged. Raises BadSetting for what cannot name an arm."""
    plain = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    if not plain or len(name) > 40 or name in (MAIN, BESIDE):
        raise BadSetting(
            f"{name!r} cannot name an arm; a name has up to 40 letters, digits, - and _, and is "
            f"neither {MAIN!r} nor {BESIDE!r}"
        )
    return name


def assigned(user: str, salt: str, arms: Sequence[ModelSnapshot]) -> ModelSnapshot:
    """The arm of a user: the same for as long as salt and names stay, whatever the models are.

    Of all arms the one whose hash with the user is highest (rendezvous hashing, Thaler &
    Ravishankar 1998), so that a further arm takes its share of every other and moves nobody else.
    """

    def weight(arm: ModelSnapshot) -> bytes:
        key = f"{salt}\0{arm.name}\0{user}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(key, digest_size=8).digest()

    return max(arms, key=weight)


def new_recommendation_id(snapshot: ModelSnapshot) -> str:
    """An id for one list: the name and digest of its model, and a random part."""
    return f"{snapshot.name}.{snapshot.digest}.{secrets.token_hex(8)}"
