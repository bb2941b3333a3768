"""The OpenAPI document of the API: what FastAPI derives, and what it cannot know."""

import re
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from matinee.display.plain_data import JsonObject
from matinee.server.middleware.security import AccessPolicy
from matinee.server.problems import PROBLEM_TYPE

TOKEN_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "The token that the server was started with.",
}


def operation_id(route: APIRoute) -> str:
    """The name of the route function."""
    return route.name


class DescribedApi(FastAPI):
    """An application whose document states who needs the token and how errors are sent."""

    def __init__(self, policy: AccessPolicy, **settings: Any) -> None:
        super().__init__(generate_unique_id_function=operation_id, **settings)
        self.policy = policy

    def openapi(self) -> JsonObject:
        """The OpenAPI document."""
        if self.openapi_schema is not None:
            return self.openapi_schema
        document = super().openapi()
        document["components"]["securitySchemes"] = {"token": TOKEN_SCHEME}
        for schema in document["components"]["schemas"].values():
            drop_titles(schema)
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                operation["summary"] = first_sentence(operation["description"])
                for parameter in operation.get("parameters", ()):
                    drop_titles(parameter["schema"])
                send_problems(operation)
                if self.policy.needs_token(path, method.upper()):
                    operation["security"] = [{"token": []}]
        return document


def first_sentence(text: str) -> str:
    """The first sentence of a text, without its full stop."""
    return re.split(r"\.\s", text, maxsplit=1)[0].removesuffix(".")


def drop_titles(schema: JsonObject) -> None:
    """Remove the titles of a schema, which only say its name in other letters."""
    schema.pop("title", None)
    nested = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    nested += [schema[name] for name in ("items", "additionalProperties") if name in schema]
    for one in nested:
        if isinstance(one, dict):
            drop_titles(one)


def send_problems(operation: JsonObject) -> None:
    """Declare the errors of an operation by the media type that they are sent as."""
    for status, response in operation["responses"].items():
        if not status.startswith("2"):
            response["content"] = {PROBLEM_TYPE: response["content"].pop("application/json")}
