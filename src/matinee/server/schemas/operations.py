"""Health and administration, and the problem document of every error."""

from pydantic import BaseModel

from matinee.server.schemas.base import Envelope


class ReloadResponse(Envelope):
    """The model that serves now, and the version that did before."""

    before: str


class Health(BaseModel):
    """The state of the server."""

    status: str


class InvalidField(BaseModel):
    """A part of a request that is invalid."""

    where: str
    message: str


class ProblemDocument(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[InvalidField] = []
    model_version: str | None = None
