"""The API in words, written from its OpenAPI document: for the docs, and for a page of its own."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from matinee.display.markup import Markup, el

Document = Mapping[str, Any]


class Heading(NamedTuple):
    """A heading; endpoints have level 3."""

    level: int
    text: str
    code: bool = False


class Words(NamedTuple):
    """A paragraph."""

    text: str


class Rows(NamedTuple):
    """A table: the first column holds names."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


Part = Heading | Words | Rows


def parts_of(document: Document) -> Iterator[Part]:
    """Every endpoint by its subject, then the shapes that bodies and answers are made of."""
    by_tag: dict[str, list[tuple[str, str, Document]]] = {}
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            by_tag.setdefault(said["tags"][0], []).append((method.upper(), path, said))
    for tag, endpoints in by_tag.items():
        yield Heading(2, tag.capitalize())
        for method, path, said in endpoints:
            yield Heading(3, f"{method} {path}", code=True)
            yield Words(said["description"])
            yield from parameters_of(said)
            yield from bodies_of(said)
    yield Heading(2, "Shapes")
    for name, schema in document["components"]["schemas"].items():
        if "properties" in schema and "Validation" not in name:
            yield Heading(3, name, code=True)
            yield Words(schema.get("description", ""))
            yield fields_of(schema)


def parameters_of(said: Document) -> Iterator[Part]:
    """The parameters of an endpoint, as a table."""
    found = [one for one in said.get("parameters", []) if not one.get("deprecated")]
    if found:
        rows = [
            (
                one["name"],
                f"{type_of(one['schema'])}, in the {one['in']}",
                default_of(one["schema"]),
                one.get("description", ""),
            )
            for one in found
        ]
        yield Rows(("parameter", "type", "default", "meaning"), rows)


def bodies_of(said: Document) -> Iterator[Part]:
    """What an endpoint takes and gives, by the names of the shapes."""
    body = said.get("requestBody")
    taken = "" if body is None else f"Body: {shape_in(body)}. "
    given = shape_in(said["responses"]["200"])
    yield Words(f"{taken}Answer: {given or 'text'}.")


def shape_in(content: Document) -> str:
    """The shape of JSON content."""
    schema = content.get("content", {}).get("application/json", {}).get("schema", {})
    return type_of(schema) if schema else ""


def fields_of(schema: Document) -> Rows:
    """The fields of a shape."""
    required = set(schema.get("required", ()))
    rows = [
        (
            name,
            type_of(field),
            "required" if name in required else default_of(field),
            field.get("description", ""),
        )
        for name, field in schema["properties"].items()
    ]
    return Rows(("field", "type", "default", "meaning"), rows)


def type_of(schema: Document) -> str:
    """The type of a value in words, with its limits."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[1])
    if "anyOf" in schema:
        return " or ".join(type_of(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(map(repr, schema["enum"]))
    if "const" in schema:
        return repr(schema["const"])
    kind = str(schema.get("type", "anything"))
    if kind == "array":
        of = type_of(schema.get("items", {}))
        kind = f"list of {of}"
    elif kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        kind = f"object of {type_of(schema['additionalProperties'])}"
    limits = [
        f"{words} {int(schema[name]):,}"
        for name, words in (
            ("minimum", "from"),
            ("maximum", "to"),
            ("minItems", "at least"),
            ("maxItems", "at most"),
            ("maxLength", "at most"),
        )
        if name in schema
    ]
    return " ".join([kind, *limits])


def default_of(schema: Document) -> str:
    """The default of a field, as JSON has it."""
    default = schema.get("default")
    if default is None:
        return ""
    return str(default).lower() if isinstance(default, bool) else repr(default)


def markdown(parts: Iterator[Part]) -> str:
    """The parts as Markdown."""
    return "\n\n".join(_markdown(part) for part in parts)


def _markdown(part: Part) -> str:
    if isinstance(part, Heading):
        text = f"`{part.text}`" if part.code else part.text
        return f"{'#' * part.level} {text}"
    if isinstance(part, Words):
        return part.text
    lines = [part.columns, ("---",) * len(part.columns)]
    lines += [(f"`{name}`", *rest) for name, *rest in part.rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|').replace(chr(10), ' ') for cell in line)} |"
        for line in lines
    )


def html(title: str, parts: Iterator[Part]) -> str:
    """The parts as a page that asks nobody for anything."""
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("title", title),
        el("link", rel="stylesheet", href="/charts.css"),
        el("link", rel="stylesheet", href="/style.css"),
    )
    body = el("body", el("main", el("h1", title), *(_element(part) for part in parts)))
    return f"<!doctype html>\n{el('html', head, body, lang='en')}\n"


def _element(part: Part) -> Markup:
    if isinstance(part, Heading):
        return el(f"h{part.level}", el("code", part.text) if part.code else part.text)
    if isinstance(part, Words):
        return el("p", part.text)
    head = el("tr", *(el("th", name, scope="col") for name in part.columns))
    body = (
        el("tr", el("th", el("code", name), scope="row"), *(el("td", cell) for cell in rest))
        for name, *rest in part.rows
    )
    return el("div", el("table", el("thead", head), el("tbody", *body)), class_="scroll")
