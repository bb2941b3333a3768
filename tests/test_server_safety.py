"""Who may ask, how much, and what an answer tells: the server is safe to leave running."""

import http.client
import json
import logging
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import openapi_spec_validator
import pytest

import matinee
from matinee.data.catalog import Catalog, Item
from matinee.feedback.store import Store
from matinee.server.lifecycle import ServerState
from matinee.server.middleware import request_limits
from matinee.server.middleware.request_limits import BODY_BYTES
from matinee.server.middleware.security import AccessPolicy
from matinee.server.reference import anchor_of
from serving import OWNER, TOKEN, answering

STRANGE_IDS = [
    "007",
    " 7 ",
    "a/b",
    "../etc/passwd",
    "%2F",
    "a:b",
    "naïve ☕ 人",
    "'; --",
    "x" * 256,
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose users and items have strange ids, and whose titles are traps."""
    import pandas as pd

    users = [one for one in STRANGE_IDS for _ in STRANGE_IDS]
    items = STRANGE_IDS * len(STRANGE_IDS)
    stars = [1.0 + (n * 7) % 5 for n in range(len(users))]
    keep = [n % 4 != 0 for n in range(len(users))]
    frame = pd.DataFrame({"user_id": users, "item_id": items, "rating": stars})[keep]
    trap = Item("<img src=x onerror=alert(1)></script>", 1999, ("<b>Drama</b>",))
    ratings = matinee.read_ratings(frame).with_catalog(Catalog({"007": trap, "a/b": trap}))
    place = tmp_path_factory.mktemp("safe") / "model"
    return matinee.MF(n_factors=2, n_epochs=3).fit(ratings).save(place)


@pytest.fixture(scope="module")
def state(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerState]:
    store = Store.at(tmp_path_factory.mktemp("store") / "feedback.sqlite")
    yield ServerState(folder, store)
    store.close()


@pytest.fixture(scope="module")
def client(state: ServerState) -> Iterator[httpx.Client]:
    with answering(state) as one:
        yield one


def is_problem(answer: httpx.Response, status: int, said: str) -> None:
    """It is a problem document (RFC 9457) that says what is wrong."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert {"type", "title", "status", "detail"} <= set(told)
    assert told["status"] == status
    assert said in told["detail"], told["detail"]


# Errors.

LIST = "/v1/users/007/recommendations"


@pytest.mark.parametrize(
    "path, status, said",
    [
        (f"{LIST}?n=0", 422, "it is 0; it must be at least 1"),
        (f"{LIST}?n=101", 422, "it is 101; it must be at most 100"),
        (f"{LIST}?n=ten", 422, "integer"),
        (f"{LIST}?nn=5", 422, "no query parameter 'nn'; did you mean 'n'"),
        (f"{LIST}?offset=950&n=100", 422, "1000 deep"),
        (f"{LIST}?why=because", 422, "true, false, factor, history"),
        (f"{LIST}?genre=Westren", 404, "no genre 'Westren'; there are <b>Drama</b>"),
        (f"{LIST}?genre=<b>Dramma</b>", 404, "did you mean '<b>Drama</b>'? There are <b>Drama"),
        (f"{LIST}?why=facter", 422, "why is 'facter'; did you mean 'factor'? It is one of true"),
        (f"{LIST}?items=nothing", 404, "no item 'nothing'"),
        ("/v1/users/007/explanations/nothing", 404, "no item 'nothing'"),
        ("/v1/users/007/explanations/007?by=magic", 422, "by is 'magic'"),
        (f"/v1/users/{'x' * 257}/recommendations", 422, "this has 257 bytes"),
        ("/v1/users/%FF/recommendations", 422, "UTF-8"),
        ("/v1/users/a%00b/recommendations", 422, "without NUL"),
        ("/v1/items/nothing", 404, "no item 'nothing'"),
        ("/v1/map?of=people", 422, "items"),
        ("/v1/map?color=red", 422, "genre, decade, taste"),
        ("/v1/nothing", 404, "/openapi.json"),
        ("/nothing.html", 404, "/openapi.json"),
        (f"/v1/items?q={'x' * 40_000}", 414, "32,768 bytes"),
    ],
)
def test_a_bad_request_is_told_in_words(client, path, status, said):
    is_problem(client.get(path), status, said)


def test_a_misspelt_field_or_kind_is_told_with_the_nearest(client):
    answer = client.post("/v1/recommendations", json={"sesion": ["1"]})
    is_problem(answer, 422, "body: there is no field 'sesion'; did you mean 'session'? There are ")
    long = client.post("/v1/recommendations", json={"x" * 1000: 1})
    assert "x" * 41 not in long.text
    row = {"user_id": "1", "item_id": "1", "kind": "purchas"}
    (verdict,) = client.post("/v1/feedback", json={"events": [row]}).json()["verdicts"]
    assert "kind is 'purchas'; did you mean 'purchase'? It is one of rating" in str(verdict)


def test_a_body_that_is_not_json_is_told_in_words(client):
    answer = client.post(
        "/v1/recommendations", content=b"{1", headers={"Content-Type": "application/json"}
    )
    is_problem(answer, 422, "body: it is not JSON")


@pytest.mark.parametrize(
    "path, body, status, said",
    [
        ("/v1/recommendations", {"ratings": [], "user": "007"}, 422, "user and ratings"),
        ("/v1/recommendations", {"rating": []}, 422, "rating"),
        ("/v1/recommendations", {"ratings": [{"item_id": "007", "rating": 9}]}, 422, "outside"),
        ("/v1/recommendations", {"tastes": {"Nonsense": 1}}, 422, "Nonsense"),
        ("/v1/recommendations", {"features": {"age": "25"}}, 422, "nothing of people"),
        ("/v1/recommendations:batch", {"users": []}, 422, "at least 1"),
        ("/v1/recommendations:batch", {"users": ["u"] * 1001}, 422, "at most 1000"),
        ("/v1/recommendations:batch", {"users": ["u"] * 999, "n": 11, "why": "1"}, 422, "10,000"),
        ("/v1/feedback", {"events": [{}] * 1001}, 422, "at most 1000"),
        ("/v1/feedback", {"events": "all"}, 422, "list"),
        ("/v1/what-if", {"user": "007", "without": ["nothing"]}, 404, "nothing"),
        ("/v1/what-if", {"user": "007", "turn": {"9": 1}}, 422, "no taste"),
    ],
)
def test_a_bad_body_is_told_in_words(client, path, body, status, said):
    is_problem(client.post(path, json=body), status, said)


@pytest.mark.parametrize("body", [b"", b"{", b"[1,", b"\xff", b'{"events": NaN}', b"[" * 100_000])
def test_what_is_no_json_is_a_problem(client, body):
    answer = client.post("/v1/feedback", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_failure_is_told_without_its_inside(client, monkeypatch, caplog):
    from matinee.server.routes import model

    monkeypatch.setattr(model, "model_facts", lambda serving: 1 / 0)
    answer = client.get("/v1/model")
    is_problem(answer, 500, "the server failed")
    assert "division" not in answer.text


# Limits.


def test_a_body_that_is_too_large_is_refused_before_it_is_read(client):
    connection = http.client.HTTPConnection(client.base_url.host, client.base_url.port)
    connection.putrequest("POST", "/v1/feedback")
    connection.putheader("Content-Length", str(BODY_BYTES + 1))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    assert "1,048,576 bytes" in json.loads(answer.read())["detail"]
    connection.close()


def test_a_body_in_chunks_is_counted_as_it_comes(client):
    sent = []

    def chunks() -> Iterator[bytes]:
        for _ in range(3 * BODY_BYTES // 65_536):
            sent.append(1)
            yield b" " * 65_536

    is_problem(client.post("/v1/feedback", content=chunks()), 413, "send it in parts")


def test_a_body_that_does_not_come_is_given_up(client, monkeypatch):
    monkeypatch.setattr(request_limits, "BODY_SECONDS", 0.05)
    with socket.create_connection((client.base_url.host, client.base_url.port)) as slow:
        slow.sendall(
            b"POST /v1/feedback HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
        )
        answer = slow.makefile("rb").read()  # until it hangs up
    assert b" 408 " in answer
    assert b"did not arrive" in answer


def test_too_many_at_once_are_asked_to_come_again(client, monkeypatch):
    monkeypatch.setattr(request_limits, "MAX_CONCURRENT_REQUESTS", 0)
    answer = client.get("/v1/model")
    is_problem(answer, 429, "come again")
    assert answer.headers["retry-after"] == "1"


# Ids.


@pytest.mark.parametrize("user", STRANGE_IDS)
def test_every_text_may_be_an_id(client, state, user):
    model = state.main.model
    raw = http.client.HTTPConnection(client.base_url.host, client.base_url.port)
    raw.request("GET", f"/v1/users/{quote(user, safe='')}/recommendations?n=3&exclude_seen=false")
    answer = json.loads(raw.getresponse().read())
    assert answer["user"] == user
    assert answer["strategy"] == "personal"
    expected = list(model.recommend(user, 3, exclude_seen=False).item_id)
    assert [one["item_id"] for one in answer["items"]] == expected
    raw.request("GET", f"/v1/users/{quote(user, safe='')}/explanations/{quote(user, safe='')}")
    why = json.loads(raw.getresponse().read())
    assert (why["user"], why["item_id"]) == (user, user)
    raw.close()


def test_titles_are_data_and_never_markup(client):
    answer = client.get("/v1/items/007")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["title"] == "<img src=x onerror=alert(1)></script>"
    for path in ("/v1/users/007/explanations/007?width=500", "/v1/map?width=500"):
        found = client.get(path).json()
        pictures = [found.get("svg", "")] + [one["svg"] for one in found.get("charts", [])]
        assert "&lt;img" in "".join(pictures)
        assert "<img" not in "".join(pictures)


# Who may ask.


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "127.0.0.1.nip.io"])
def test_other_hosts_are_not_answered(client, host):
    is_problem(client.get("/v1/model", headers={"Host": host}), 421, "--allow-host")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1:8765", "[::1]:8765"])
def test_this_machine_is_answered(client, host):
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


def test_a_named_host_is_answered(state):
    with answering(state, AccessPolicy(TOKEN, hosts=frozenset({"films.example"}))) as client:
        assert client.get("/healthz", headers={"Host": "films.example"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[::1"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://127.0.0.1:3000"},
        {"Origin": "file://localhost"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_other_sites_pages_may_not_write(client, headers):
    body = {"events": [{"user_id": "x", "item_id": "007", "rating": 5}]}
    is_problem(client.post("/v1/feedback", json=body, headers=headers), 403, "another site")


@pytest.mark.parametrize("name", ["Host", "Origin", "Authorization"])
def test_a_header_that_decides_is_given_once(client, name):
    values = {"Host": "localhost", "Origin": str(client.base_url), "Authorization": "Bearer x"}
    raw = http.client.HTTPConnection(client.base_url.host, client.base_url.port)
    raw.putrequest("GET", "/v1/model", skip_host=True)
    for header, value in [*values.items(), (name, "localhost")]:
        raw.putheader(header, value)
    raw.endheaders()
    answer = raw.getresponse()
    assert answer.status == 400
    assert "one Host" in json.loads(answer.read())["detail"]
    raw.close()


def test_the_page_of_the_server_itself_may_write(client):
    body = {"events": [{"user_id": "x", "item_id": "007", "rating": 5}]}
    origin = {"Origin": str(client.base_url)}
    assert client.post("/v1/feedback", json=body, headers=origin).status_code == 200


@pytest.mark.parametrize(
    "method, path, body",
    [
        ("POST", "/v1/admin/reload", None),
        ("PATCH", "/v1/tastes/0", {"name": "x"}),
        ("DELETE", "/v1/users/007", None),
    ],
)
@pytest.mark.parametrize("given", [None, "Bearer", "Bearer wrong", f"Basic {TOKEN}", "Bearer ü"])
def test_who_changes_the_model_needs_the_token(client, method, path, body, given):
    headers = {} if given is None else {"Authorization": given.encode()}
    answer = client.request(method, path, json=body, headers=headers)
    is_problem(answer, 401, "Authorization: Bearer")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_public_server_needs_the_token_for_everything_it_knows(state):
    with answering(state, AccessPolicy(TOKEN, public=True)) as client:
        for path in ("/v1/model", LIST, "/metrics", "/v1/%75sers"):
            is_problem(client.get(path), 401, "token")
        assert client.get(LIST, headers=OWNER).status_code == 200
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 200


# What an answer tells.


@pytest.mark.parametrize("path", [LIST, "/v1/nothing", "/metrics", "/openapi.json", "/charts.css"])
def test_headers_hold_browsers_back(client, path):
    headers = client.get(path, headers={"Origin": "https://evil.example"}).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in headers
    assert not [name for name in headers if name.startswith("access-control-")]
    assert "server" not in headers


def test_no_id_is_logged(state, caplog):
    secret = "somebody-secret"
    logging.getLogger("httpx").setLevel(logging.WARNING)  # the client's own
    with caplog.at_level(logging.INFO), answering(state) as client:
        event = {"user_id": secret, "item_id": "007", "rating": 5}
        client.post("/v1/feedback", json={"events": [event]})
        client.get(f"/v1/users/{secret}/recommendations")
        client.get(f"/v1/users/{secret}/explanations/nothing")
        client.delete(f"/v1/users/{secret}", headers=OWNER)
        client.post("/v1/admin/reload", headers=OWNER)
    assert "reloaded" in caplog.text, "or nothing was logged"
    assert secret not in caplog.text


def test_metrics_are_prometheus_and_hold_no_id(client):
    client.get(LIST)
    client.get("/v1/users/somebody-else/recommendations")
    text = client.get("/metrics").text
    route = "/v1/users/{user}/recommendations"
    counted = 'matinee_http_request_duration_seconds_count{method="GET",route="%s",status="200"}'
    assert counted % route in text
    assert 'matinee_recommendations_total{strategy="popular"}' in text
    assert "matinee_model_info{" in text
    assert "somebody-else" not in text
    assert "users/007" not in text


def test_the_document_is_open_api_without_anything_from_elsewhere(client):
    document = client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert "://" not in json.dumps(document)
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            assert said["summary"], (path, method)
            assert "4XX" in said["responses"]


def test_the_document_is_valid_and_says_what_is_sent(client):
    document = client.get("/openapi.json").json()
    openapi_spec_validator.validate(document)
    names = []
    for methods in document["paths"].values():
        for operation in methods.values():
            names.append(operation["operationId"])
            for status in ("4XX", "5XX"):
                assert list(operation["responses"][status]["content"]) == [
                    "application/problem+json"
                ]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() for name in names)


def test_the_document_calls_things_alike(client):
    document = client.get("/openapi.json").json()
    rows = document["components"]["schemas"]["FeedbackRequest"]["properties"]["events"]["items"]
    assert rows == {"$ref": "#/components/schemas/EventRow"}
    for schema in document["components"]["schemas"].values():
        assert "title" not in schema
        assert not any("title" in one for one in schema.get("properties", {}).values())
    for methods in document["paths"].values():
        for operation in methods.values():
            assert not operation["summary"].istitle()
            assert operation["description"].startswith(operation["summary"])
            assert not any("title" in one["schema"] for one in operation.get("parameters", ()))


def test_every_operation_has_a_summary_of_one_plain_line(client):
    for methods in client.get("/openapi.json").json()["paths"].values():
        for operation in methods.values():
            summary = operation["summary"]
            assert re.fullmatch(r"[A-Z][^\n`*<]+[^\s.]", summary), summary
            assert ". " not in summary, summary
            assert len(summary) <= 100, summary


def test_the_reference_has_contents_whose_links_lead_somewhere(client):
    page = client.get("/docs").text
    links = re.findall(r'href="#([^"]+)"', page)
    assert len(links) > 100
    assert set(links) <= set(re.findall(r'id="([^"]+)"', page))
    assert client.get("/docs.css").headers["content-type"].startswith("text/css")
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for method in methods:
            assert anchor_of(f"{method.upper()} {path}") in links


def operations_with_the_token(client: httpx.Client) -> set[str]:
    """The operations that are declared to need the token."""
    document = client.get("/openapi.json", headers=OWNER).json()
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    return {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if operation.get("security") == [{"token": []}]
    }


def test_the_document_says_what_needs_the_token(client, state):
    writes = {"POST /v1/admin/reload", "PATCH /v1/tastes/{taste}", "DELETE /v1/users/{user}"}
    writes |= {"POST /v1/items", "PUT /v1/items/{item}", "DELETE /v1/items/{item}"}
    writes |= {"PUT /v1/users/{user}"}
    assert operations_with_the_token(client) == writes
    with answering(state, AccessPolicy(TOKEN, public=True)) as public:
        found = operations_with_the_token(public)
        everything = public.get("/openapi.json").json()["paths"]
    assert found == {
        f"{method.upper()} {path}"
        for path, methods in everything.items()
        for method in methods
        if path not in ("/healthz", "/readyz")
    }


# Methods.

METHODS_OF = {
    "/v1/feedback": {"POST", "OPTIONS"},
    "/v1/recommendations:batch": {"POST", "OPTIONS"},
    "/v1/admin/reload": {"POST", "OPTIONS"},
    "/v1/tastes/0": {"PATCH", "OPTIONS"},
    "/v1/users/007": {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"},
    "/v1/model": {"GET", "HEAD", "OPTIONS"},
    "/openapi.json": {"GET", "HEAD", "OPTIONS"},
    "/": {"GET", "HEAD", "OPTIONS"},
    "/style.css": {"GET", "HEAD", "OPTIONS"},
}


@pytest.mark.parametrize("path", METHODS_OF)
def test_other_methods_are_told_those_that_are_allowed(client, path):
    allowed = METHODS_OF[path]
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - allowed:
        answer = client.request(method, path, headers=OWNER)
        assert answer.status_code == 405, (method, answer.text)
        assert set(answer.headers["allow"].split(", ")) == allowed
        if method != "HEAD":
            is_problem(answer, 405, f"{method} is not allowed")
    answer = client.options(path, headers=OWNER)
    assert (answer.status_code, answer.content) == (204, b"")
    assert set(answer.headers["allow"].split(", ")) == allowed


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
def test_an_unknown_path_is_unknown_for_every_method(client, method):
    is_problem(client.request(method, "/v1/nothing", headers=OWNER), 404, "/openapi.json")


@pytest.mark.parametrize("path", [LIST, "/v1/model", "/healthz", "/", "/style.css", "/v1/nothing"])
def test_head_is_get_without_the_body(client, path):
    expected, answer = client.get(path), client.head(path)
    assert answer.content == b""
    assert answer.status_code == expected.status_code
    varying = {"content-length"}  # the time taken is in the body
    for name in set(expected.headers) - varying:
        assert answer.headers[name] == expected.headers[name], name
    assert client.get("/healthz").json() == {"status": "ok"}, "on the same connection"


# Ambiguity.


@pytest.mark.parametrize(
    "query, name", [("n=1&n=2", "n"), ("n=1&%6E=1", "n"), ("genre=a&genre=b&why=1&why=", "why")]
)
def test_a_query_parameter_with_one_value_is_given_once(client, query, name):
    is_problem(client.get(f"{LIST}?{query}"), 422, f"'{name}' is given 2 times")


def test_a_query_parameter_with_many_values_may_be_repeated(client):
    found = client.get(f"{LIST}?items=a%2Fb&items=%252F&exclude_seen=false").json()
    assert {one["item_id"] for one in found["items"]} == {"a/b", "%2F"}


@pytest.mark.parametrize(
    "path, body, said",
    [
        ("/v1/recommendations", '{"n": 1, "n": 2}', "'n' occurs twice"),
        ("/v1/recommendations", '{"n": 1, "\\u006e": 1}', "'n' occurs twice"),
        ("/v1/explanations", '{"item": "007", "item": "a/b"}', "'item' occurs twice"),
        ("/v1/what-if", '{"turn": {"0": 1, "0": 2}}', "'0' occurs twice"),
        (
            "/v1/feedback",
            '{"events": [{"user_id": "x", "item_id": "007", "rating": 1, "rating": 5}]}',
            "'rating' occurs twice",
        ),
        ("/v1/recommendations", '{"n": NaN}', "NaN is not a number of JSON"),
        ("/v1/recommendations", '{"n": -Infinity}', "Infinity is not a number of JSON"),
        ("/v1/recommendations", "[" * 100_000, "nested too deeply"),
        ("/v1/recommendations", '{"n": 1' + "0" * 5000 + "}", "it is not JSON"),
        ("/v1/recommendations", b'{"n": "\xff"}', "it is not JSON"),
    ],
    ids=range(10),
)
def test_a_body_that_could_mean_two_things_is_refused(client, path, body, said):
    answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
    is_problem(answer, 422, said)


@pytest.mark.parametrize("rule", ["diversity", "novelty", "calibrated"])
def test_rules_on_no_items_give_an_empty_list(client, rule):
    body = {"users": ["007"], "items": [], rule: 1}
    assert client.post("/v1/recommendations:batch", json=body).json()["lists"][0]["items"] == []


@pytest.mark.parametrize(
    "fields",
    [
        {"n": True},
        {"n": "5"},
        {"caution": False},
        {"stars_weight": "1"},
        {"exclude_seen": 1},
        {"ratings": [{"item_id": "007", "rating": True}]},
        {"ratings": [{"item_id": "007", "rating": "4"}]},
        {"tastes": {"0": True}},
    ],
)
def test_values_are_of_their_own_json_types(client, fields):
    is_problem(client.post("/v1/recommendations", json=fields), 422, "must be a valid")


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("days=abc", 'query.days: it is "abc"; it must be a valid number'),
        ("n=2.5", 'query.n: it is "2.5"; it must be a valid integer'),
        ("days=", 'query.days: it is ""; it must be a valid number'),
        ("beside=maybe", 'query.beside: it is "maybe"; it must be true or false'),
    ],
)
def test_the_value_of_a_query_and_its_type_are_named_in_plain_words(client, query, detail):
    path = LIST if query.startswith("beside") else "/v1/lists/trending"
    assert client.get(f"{path}?{query}").json()["detail"] == detail


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (
            {"where": ["genre=Horror"]},
            "body.where: it is a list; it must be an object of conditions by column, such as "
            '{"genre": "Horror", "year": {"low": 1990, "high": 1999}}',
        ),
        (
            {"where": "genre=Horror"},
            'body.where: it is "genre=Horror"; it must be an object of conditions by column, such '
            'as {"genre": "Horror", "year": {"low": 1990, "high": 1999}}',
        ),
        ({"boost": ["x"]}, 'body.boost: it is a list; it must be an object {"NAME": VALUE}'),
        ({"hide": {"x": 1}}, "body.hide: it is an object; it must be a list [VALUE, ...]"),
        ({"hide": "x"}, 'body.hide: it is "x"; it must be a list [VALUE, ...]'),
        ([1], 'body: it is a list; it must be an object {"NAME": VALUE}'),
        ({"exclude_seen": "no"}, 'body.exclude_seen: it is "no"; it must be a valid boolean'),
    ],
)
def test_the_value_in_a_body_and_its_type_are_named_in_plain_words(client, body, detail):
    assert client.post("/v1/recommendations", json=body).json()["detail"] == detail


@pytest.mark.parametrize(
    ("year", "query", "condition"),
    [
        ("1990..1999", "1990..1999", '{"low": 1990, "high": 1999}'),
        ("1990-1999", "1990..1999", '{"low": 1990, "high": 1999}'),
        ("1990s", "1990..1999", '{"low": 1990, "high": 1999}'),
        ("1990..", "1990..", '{"low": 1990}'),
        ("..1999", "..1999", '{"high": 1999}'),
    ],
)
def test_a_range_as_text_is_told_how_a_body_and_a_query_write_it(client, year, query, condition):
    refused = client.post("/v1/recommendations", json={"where": {"year": year}}).json()
    assert refused["status"] == 422
    assert refused["detail"] == (
        f'no item has the year {year!r}; a range is {{"year": {condition}}} in a body, '
        f"year={query} in a query"
    )
    remedy = {"where": {"year": json.loads(condition)}}
    assert client.post("/v1/recommendations", json=remedy).status_code == 200
    assert client.get(LIST, params={"where": f"year={query}"}).status_code == 200


@pytest.mark.parametrize(("value", "shown"), [("abc", '"abc"'), ("x" * 99, '"' + "x" * 39 + "…")])
def test_what_is_no_number_is_named(client, value, shown):
    problem = client.get(f"{LIST}?n={value}").json()
    assert problem["detail"].startswith(f"query.n: it is {shown}; it must be a valid integer")


def test_a_number_in_a_query_is_finite(client):
    for name in ("caution", "stars_weight"):
        for value in ("inf", "nan"):
            is_problem(client.get(f"{LIST}?{name}={value}"), 422, "finite")
