"""The API reference, generated from the OpenAPI document as Markdown and as a page."""

import json
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from matinee.display.markup import Markup, el
from matinee.display.plain_data import JsonMapping

NAME = re.compile(r"[A-Za-z]+")
CONTENTS_DEPTH = 3  # of headings: subjects, and the endpoints of each
STYLES = """\
.reference { overflow-wrap: break-word; }
.reference code { overflow-wrap: anywhere; }
.reference table { border-collapse: collapse; width: 100%; margin: .8rem 0; }
.reference th, .reference td {
  text-align: left; vertical-align: top; font-weight: 400; padding: .3rem .8rem .3rem 0;
  border-bottom: 1px solid var(--line); overflow-wrap: normal;
}
.reference thead th { color: var(--soft); }
.reference tbody th code { overflow-wrap: normal; white-space: nowrap; }
.reference .scroll, .reference pre { overflow-x: auto; }
.reference pre { padding: .6rem .8rem; background: var(--wash); border-radius: 8px; }
.reference h2 { margin-top: 2.4rem; }
.reference h3 { margin-top: 1.8rem; }
.reference .contents { columns: 20rem; margin: 0; padding: 0; list-style: none; }
.reference .contents > li { break-inside: avoid; margin-bottom: .8rem; }
.reference .contents ul { margin: 0; padding-left: 1rem; list-style: none; }
"""


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


class Example(NamedTuple):
    """A JSON value."""

    value: object

    @property
    def text(self) -> str:
        """The value as JSON: on one line where it is short."""
        line = json.dumps(self.value, ensure_ascii=False)
        return line if len(line) <= 80 else json.dumps(self.value, ensure_ascii=False, indent=2)


Block = Heading | Paragraph | Grid | Example


def api_reference(document: JsonMapping) -> Iterator[Block]:
    """Every endpoint by subject, then the schemas of request and response bodies."""
    by_tag: dict[str, list[tuple[str, str, JsonMapping]]] = {}
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
            yield from body_examples(operation, document["components"]["schemas"])
    yield Heading(2, "Shapes")
    for name, schema in document["components"]["schemas"].items():
        if "properties" in schema and "Validation" not in name:
            yield Heading(3, name, code=True)
            yield Paragraph(schema.get("description", ""))
            yield field_table(schema)


def parameter_table(operation: JsonMapping) -> Iterator[Grid]:
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


def body_summary(operation: JsonMapping) -> Paragraph:
    """The schemas of an endpoint's request and response bodies, by name."""
    body = operation.get("requestBody")
    request = "" if body is None else f"Body: {json_schema_of(body)}. "
    response = json_schema_of(operation["responses"]["200"])
    return Paragraph(f"{request}Answer: {response or 'text'}.")


def body_examples(operation: JsonMapping, schemas: JsonMapping) -> Iterator[Example]:
    """The examples of an endpoint's request body."""
    if "requestBody" in operation:
        name = json_schema_of(operation["requestBody"])
        yield from map(Example, schemas[name].get("examples", ()))


def json_schema_of(content: JsonMapping) -> str:
    """The name of the schema of JSON content; empty for other content."""
    schema = content.get("content", {}).get("application/json", {}).get("schema", {})
    return type_of(schema) if schema else ""


def field_table(schema: JsonMapping) -> Grid:
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


def type_of(schema: JsonMapping) -> str:
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


def default_of(schema: JsonMapping) -> str:
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
    if isinstance(block, Example):
        return f"```json\n{block.text}\n```"
    lines = [block.columns, ("---",) * len(block.columns)]
    lines += [(f"`{name}`", *rest) for name, *rest in block.rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    """Text of a Markdown table cell: pipes escaped, on one line."""
    return text.replace("|", "\\|").replace("\n", " ")


def to_html(title: str, blocks: Iterable[Block]) -> str:
    """The blocks as a page with contents, which loads nothing from other hosts."""
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("title", title),
        el("link", rel="icon", href="/icon.svg", type="image/svg+xml"),
        *(el("link", rel="stylesheet", href=f"/{name}.css") for name in ("style", "docs")),
    )
    content = list(blocks)
    headings = [block for block in content if isinstance(block, Heading)]
    anchors = {anchor_of(one.text) for one in headings}
    elements = (_block_element(block, anchors) for block in content)
    main = el("main", el("h1", title), contents(headings), *elements, class_="reference")
    return f"<!doctype html>\n{el('html', head, el('body', main), lang='en')}\n"


def anchor_of(text: str) -> str:
    """The id of a heading."""
    return re.sub(r"\W+", "-", text).strip("-")


def contents(headings: Iterable[Heading]) -> Markup:
    """Links to subjects, and under each to its endpoints; schemas are linked where they stand."""
    sections: list[tuple[Heading, list[Heading]]] = []
    for one in headings:
        if one.level < CONTENTS_DEPTH:
            sections.append((one, []))
        elif sections and not one.text.isalnum():
            sections[-1][1].append(one)
    entries = (
        el("li", _link(top), el("ul", *(el("li", _link(one)) for one in below)) if below else None)
        for top, below in sections
    )
    return el(
        "div", el("ul", *entries, class_="contents"), role="navigation", aria_label="Contents"
    )


def _link(heading: Heading) -> Markup:
    words = el("code", heading.text) if heading.code else heading.text
    return el("a", words, href=f"#{anchor_of(heading.text)}")


def linked(text: str, anchors: Container[str]) -> list[str]:
    """Text whose names of schemas are links to these."""
    pieces: list[str] = []
    end = 0
    for match in NAME.finditer(text):
        if match[0] in anchors and not match[0].islower():
            pieces += [text[end : match.start()], el("a", match[0], href=f"#{match[0]}")]
            end = match.end()
    return [*pieces, text[end:]]


def _block_element(block: Block, anchors: Container[str]) -> Markup:
    if isinstance(block, Heading):
        words = el("code", block.text) if block.code else block.text
        return el(f"h{block.level}", words, id=anchor_of(block.text))
    if isinstance(block, Paragraph):
        return el("p", linked(block.text, anchors))
    if isinstance(block, Example):
        return el("pre", el("code", block.text), tabindex="0")
    head = el("tr", *(el("th", name, scope="col") for name in block.columns))
    body = (
        el(
            "tr",
            el("th", el("code", name), scope="row"),
            *(el("td", linked(cell, anchors)) for cell in rest),
        )
        for name, *rest in block.rows
    )
    return el(
        "div",
        el("table", el("thead", head), el("tbody", *body)),
        class_="scroll",
        tabindex="0",
        role="group",
        aria_label=f"{block.columns[0]}s",
    )
