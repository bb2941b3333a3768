"""The API reference, generated from the OpenAPI document as Markdown and as a page."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from matinee.display.markup import Markup, el

Document = Mapping[str, Any]


class Heading(NamedTuple):
    """A heading of some level; ``code`` sets it in a monospaced font."""

    level: int
    text: str
    code: bool = False


class Paragraph(NamedTuple):
    """A paragraph of text."""

    text: str


class Grid(NamedTuple):
    """A table whose first column holds names."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


Block = Heading | Paragraph | Grid


def api_reference(document: Document) -> Iterator[Block]:
    """Every endpoint by subject, then the schemas of request and response bodies."""
    by_tag: dict[str, list[tuple[str, str, Document]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            by_tag.setdefault(operation["tags"][0], []).append((method.upper(), path, operation))
    for tag, endpoints in by_tag.items():
        yield Heading(2, tag.capitalize())
        for method, path, operation in endpoints:
            yield Heading(3, f"{method} {path}", code=True)
            yield Paragraph(operation["description"])
            yield from parameter_table(operation)
            yield body_summary(operation)
    yield Heading(2, "Shapes")
    for name, schema in document["components"]["schemas"].items():
        if "properties" in schema and "Validation" not in name:
            yield Heading(3, name, code=True)
            yield Paragraph(schema.get("description", ""))
            yield field_table(schema)


def parameter_table(operation: Document) -> Iterator[Grid]:
    """The table of an endpoint's parameters; nothing when it has none."""
    parameters = [one for one in operation.get("parameters", []) if not one.get("deprecated")]
    if parameters:
        rows = [
            (
                parameter["name"],
                f"{type_of(parameter['schema'])}, in the {parameter['in']}",
                default_of(parameter["schema"]),
                parameter.get("description", ""),
            )
            for parameter in parameters
        ]
        yield Grid(("parameter", "type", "default", "meaning"), rows)


def body_summary(operation: Document) -> Paragraph:
    """The schemas of an endpoint's request and response bodies, by name."""
    body = operation.get("requestBody")
    request = "" if body is None else f"Body: {json_schema_of(body)}. "
    response = json_schema_of(operation["responses"]["200"])
    return Paragraph(f"{request}Answer: {response or 'text'}.")


def json_schema_of(content: Document) -> str:
    """The name of the schema of JSON content; empty for other content."""
    schema = content.get("content", {}).get("application/json", {}).get("schema", {})
    return type_of(schema) if schema else ""


def field_table(schema: Document) -> Grid:
    """The table of a schema's fields."""
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
    return Grid(("field", "type", "default", "meaning"), rows)


def type_of(schema: Document) -> str:
    """The type of a value, with its limits."""
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
        kind = f"list of {type_of(schema.get('items', {}))}"
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


def to_markdown(blocks: Iterable[Block]) -> str:
    """The blocks as Markdown."""
    return "\n\n".join(_block_markdown(block) for block in blocks)


def _block_markdown(block: Block) -> str:
    if isinstance(block, Heading):
        text = f"`{block.text}`" if block.code else block.text
        return f"{'#' * block.level} {text}"
    if isinstance(block, Paragraph):
        return block.text
    lines = [block.columns, ("---",) * len(block.columns)]
    lines += [(f"`{name}`", *rest) for name, *rest in block.rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    """Text of a Markdown table cell: pipes escaped, on one line."""
    return text.replace("|", "\\|").replace("\n", " ")


def to_html(title: str, blocks: Iterable[Block]) -> str:
    """The blocks as a page that loads nothing from other hosts."""
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("title", title),
        el("link", rel="stylesheet", href="/charts.css"),
        el("link", rel="stylesheet", href="/style.css"),
    )
    body = el("body", el("main", el("h1", title), *(_block_element(block) for block in blocks)))
    return f"<!doctype html>\n{el('html', head, body, lang='en')}\n"


def _block_element(block: Block) -> Markup:
    if isinstance(block, Heading):
        return el(f"h{block.level}", el("code", block.text) if block.code else block.text)
    if isinstance(block, Paragraph):
        return el("p", block.text)
    head = el("tr", *(el("th", name, scope="col") for name in block.columns))
    body = (
        el("tr", el("th", el("code", name), scope="row"), *(el("td", cell) for cell in rest))
        for name, *rest in block.rows
    )
    return el("div", el("table", el("thead", head), el("tbody", *body)), class_="scroll")
