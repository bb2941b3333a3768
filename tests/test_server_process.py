"""The server as a process: it starts, reloads under load, survives a kill, and stops."""

import json
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

import matinee
from matinee.cli import run
from matinee.errors import MatineeError
from matinee.feedback.events import Event, Verdict
from matinee.feedback.store import EventBatch, Store
from matinee.server.lifecycle import OUTCOME_SECONDS
from matinee.server.process import JsonFormatter
from matinee.server.settings import Endpoint, ServerSettings

TOKEN = "a-token-for-the-tests"
OWNER = {"Authorization": f"Bearer {TOKEN}"}
READY = re.compile(r"ready in .*: (http://\S+)")


@contextmanager
def serving(*words: object, verb: str = "serve") -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``matinee serve`` on a free port; the process, and where it answers."""
    command = [sys.executable, "-m", "matinee", verb, *map(str, words), "--port", "0"]
    environment = {**os.environ, "MATINEE_TOKEN": TOKEN, "NO_COLOR": "1", "BROWSER": "true"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        said = []
        try:
            for line in process.stderr:
                said.append(line)
                found = READY.search(line)
                if found:
                    yield process, found[1]
                    break
            else:
                pytest.fail("".join(said))
        finally:
            process.kill()


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two models of the same people and films that recommend otherwise."""
    place = tmp_path_factory.mktemp("models")
    sample = matinee.sample()
    return (
        matinee.NMF(n_factors=2, n_epochs=3).fit(sample).save(place / "a"),
        matinee.MF(n_factors=3, n_epochs=3).fit(sample).save(place / "b"),
    )


@pytest.fixture
def folder(folders: tuple[Path, Path], tmp_path: Path) -> Path:
    shutil.copytree(folders[0], tmp_path / "model")
    return tmp_path / "model"


def test_it_starts_answers_and_stops_when_told(folder):
    with serving(folder) as (process, url):
        answer = httpx.get(f"{url}/v1/users/7/recommendations").json()
        expected = matinee.load(folder).recommend("7")
        assert [one["item_id"] for one in answer["items"]] == list(expected.item_id)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (0, -signal.SIGTERM)


@pytest.fixture(scope="module")
def workers(
    folders: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[subprocess.Popen[str], str, Path]]:
    """Two workers on a model of their own: the supervisor, its URL and the model."""
    model = tmp_path_factory.mktemp("workers") / "model"
    shutil.copytree(folders[0], model)
    with serving(model, "--workers", 2) as (process, url):
        yield process, url, model


def test_workers_know_at_once_what_another_wrote(workers):
    _, url, _ = workers
    for number in range(20):  # each on a connection of its own, so that workers take turns
        user, item = f"new-{number}", "heat-1995"
        event = {"user_id": user, "item_id": item, "rating": 5}
        httpx.post(f"{url}/v1/feedback", json={"events": [event]}).raise_for_status()
        for _ in range(3):
            body = httpx.get(f"{url}/v1/users/{user}/recommendations").json()
            assert body["strategy"] == "folded_in"
            assert item not in [one["item_id"] for one in body["items"]]


@pytest.mark.skipif(sys.platform != "linux", reason="others share no connections out")
def test_connections_are_shared_out_among_workers():
    with ExitStack() as stack:
        listeners = [stack.enter_context(one) for one in Endpoint(port=0).listeners(2)]
        (port,) = {one.getsockname()[1] for one in listeners}
        for _ in range(64):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        accepted = [waiting_at(one, stack) for one in listeners]
    assert sum(accepted) == 64
    assert min(accepted) >= 8  # fewer of 64 fair draws: less than once in 10^9


def waiting_at(listener: socket.socket, stack: ExitStack) -> int:
    """How many connections wait at a listener; they are accepted."""
    listener.setblocking(False)
    for number in range(1000):
        try:
            stack.enter_context(listener.accept()[0])
        except BlockingIOError:
            return number
    return 1000


def test_workers_do_not_share_the_port_of_another_server():
    with closing(Endpoint(port=0).listen()) as taken:
        endpoint = Endpoint(port=taken.getsockname()[1])
        with pytest.raises(MatineeError, match="cannot listen"):
            endpoint.listeners(2)


def test_latencies_are_those_of_all_workers(workers):
    _, url, _ = workers
    rows = []
    for number in range(16):  # each on a connection of its own, so that workers take turns
        user = f"timed-{number}"
        body = httpx.get(f"{url}/v1/users/{user}/recommendations").json()
        of, item = body["recommendation_id"], body["items"][0]["item_id"]
        row = {"kind": "impression", "user_id": user, "item_id": item, "recommendation_id": of}
        rows.append(row)
    httpx.post(f"{url}/v1/feedback", json={"events": rows}).raise_for_status()
    counted = 'matinee_list_duration_seconds_count{arm="main"} '
    expected = value_of(httpx.get(f"{url}/metrics").text, counted)
    assert expected >= 16
    assert {main_arm(url)["latency"]["n"] for _ in range(6)} == {expected}


def main_arm(url: str) -> dict[str, Any]:
    """The online figures of the only arm, once a worker that has them from before reads them."""
    end = time.monotonic() + 3 * OUTCOME_SECONDS
    while time.monotonic() < end:
        if arms := httpx.get(f"{url}/v1/online").json()["arms"]:
            return arms[0]
        time.sleep(0.1)
    raise AssertionError("no arm was shown")


def test_metrics_are_those_of_all_workers(workers):
    _, url, _ = workers
    name = 'matinee_feedback_events_total{result="accepted"} '
    before = value_of(httpx.get(f"{url}/metrics").text, name)
    for number in range(10):
        event = {"user_id": f"counted-{number}", "item_id": "heat-1995", "rating": 5}
        httpx.post(f"{url}/v1/feedback", json={"events": [event]}).raise_for_status()
    assert {value_of(httpx.get(f"{url}/metrics").text, name) for _ in range(6)} == {before + 10}


def value_of(text: str, name: str) -> float:
    """The value of a metric; 0 where it was never counted."""
    found = [line for line in text.splitlines() if line.startswith(name)]
    return float(found[0].removeprefix(name)) if found else 0.0


def test_all_workers_reload(workers, folders):
    _, url, model = workers
    old = httpx.get(f"{url}/v1/model").json()["model_version"]
    matinee.load(folders[1]).save(model)
    httpx.post(f"{url}/v1/admin/reload", headers=OWNER, timeout=30).raise_for_status()
    for _ in range(200):  # until the other has loaded it too
        versions = {httpx.get(f"{url}/v1/model").json()["model_version"] for _ in range(8)}
        if old not in versions:
            break
    assert len(versions) == 1
    assert old not in versions


def test_workers_finish_what_they_send_and_stop_with_their_supervisor(workers):
    process, url, model = workers
    body = {"n": 50}  # more than the buffers of a connection hold
    with httpx.stream("POST", f"{url}/v1/recommendations:export", json=body, timeout=60) as answer:
        lines = answer.iter_lines()
        first = next(lines)
        process.send_signal(signal.SIGTERM)
        n_rows = sum(1 for _ in lines) + len([first])
    assert n_rows == 50 * len(matinee.load(model).users)
    assert process.wait(30) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_a_model_that_cannot_be_served_stops_all_workers(tmp_path, capsys):
    assert run(["serve", str(tmp_path / "none"), "--workers", "2", "--port", "0"]) == 1
    assert "none" in capsys.readouterr().err


def test_the_log_is_one_json_object_a_line():
    record = logging.LogRecord("matinee.server", logging.INFO, "", 0, "at %s", ("work",), None)
    line = json.loads(JsonFormatter().format(record))
    assert (line["level"], line["logger"], line["message"]) == ("info", "matinee.server", "at work")


def test_the_demo_ends_on_the_page_with_what_it_measured(tmp_path):
    with serving("--serve", "--out", tmp_path / "demo", verb="demo") as (_, url):
        assert "<title>" in httpx.get(url).text
        quality = httpx.get(f"{url}/v1/quality?width=500").json()
        assert {row["algorithm"] for row in quality["comparison"]} >= {"nmf", "mf"}
        assert quality["charts"]


def test_what_was_acknowledged_survives_a_kill(folder):
    acknowledged: list[str] = []

    def post(name: str, url: str) -> None:
        with httpx.Client() as client:
            for n in range(10_000):
                event = {"user_id": f"{name}-{n}", "item_id": "heat-1995", "rating": 4}
                try:
                    answer = client.post(f"{url}/v1/feedback", json={"events": [event]})
                except httpx.TransportError:
                    return
                assert answer.status_code == 200, answer.text
                acknowledged.append(event["user_id"])

    with serving(folder) as (process, url):
        threads = [threading.Thread(target=post, args=(f"t{n}", url)) for n in range(4)]
        for thread in threads:
            thread.start()
        while len(acknowledged) < 100:
            assert any(thread.is_alive() for thread in threads)
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        for thread in threads:
            thread.join()
    store = Store.at(folder.with_name("model-feedback.sqlite"))
    assert set(acknowledged) <= set(store.changes_since().last_events)
    store.close()
    with serving(folder) as (_, url):
        answer = httpx.get(f"{url}/v1/users/{acknowledged[-1]}/recommendations").json()
        assert answer["strategy"] == "folded_in"


def test_reloading_under_load_fails_no_request_and_mixes_no_models(folders, folder):
    expected: dict[str, list[str]] = {}
    wrong: list[object] = []
    answered: list[str] = []
    stop = threading.Event()

    def ask(url: str) -> None:
        with httpx.Client() as client:
            while not stop.is_set():
                answer = client.get(f"{url}/v1/users/7/recommendations?why=true&n=5")
                if answer.status_code != 200:
                    wrong.append(answer.text)
                    return
                found = answer.json()
                version = found["model_version"]
                answered.append(version)
                if [one["item_id"] for one in found["items"]] != expected[version[:3]]:
                    wrong.append(found)

    for one in folders:
        model = matinee.load(one)
        expected[f"{model.algorithm}-x"[:3]] = list(model.recommend("7", 5).item_id)
    assert len(set(map(tuple, expected.values()))) == 2, "or a mixture would not be seen"
    with serving(folder) as (_, url):
        threads = [threading.Thread(target=ask, args=(url,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for turn in range(6):
            matinee.load(folders[(turn + 1) % 2]).save(folder)
            answer = httpx.post(f"{url}/v1/admin/reload", headers=OWNER, timeout=30)
            assert answer.status_code == 200, answer.text
        (folder / "model.json").write_text("{}")
        assert httpx.post(f"{url}/v1/admin/reload", headers=OWNER).status_code == 500
        assert httpx.get(f"{url}/v1/users/7/recommendations").status_code == 200
        stop.set()
        for thread in threads:
            thread.join()
    assert not wrong
    assert len(set(answered)) == 2


def test_feedback_becomes_a_new_model_without_a_pause(folder, capsys):
    store = folder.with_name("events.sqlite")
    with serving(folder, "--store", store) as (_, url):
        event = {"user_id": "ann", "item_id": "heat-1995", "rating": 5}
        httpx.post(f"{url}/v1/feedback", json={"events": [event]})
        before = httpx.get(f"{url}/v1/users/ann/recommendations").json()
        assert before["strategy"] == "folded_in"
        words = ["refit", str(folder), "--store", str(store), "--out", str(folder), "--json"]
        assert run(words) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["ratings"] == told["ratings_before"] + 1
        httpx.post(f"{url}/v1/admin/reload", headers=OWNER)
        after = httpx.get(f"{url}/v1/users/ann/recommendations").json()
        assert after["strategy"] == "personal"
        assert after["model_version"] != before["model_version"]


def test_a_refit_waits_for_enough_events(folder, capsys):
    place, out = folder.with_name("events.sqlite"), folder.with_name("new")
    words = ["--store", str(place), "--min-events", "2", "--json"]
    store = Store.at(place)

    def rate(*users: str) -> None:
        rows = tuple(Event(user, "heat-1995", 5.0, 0) for user in users)
        store.write([EventBatch(rows, (Verdict("accepted"),) * len(rows))])

    def refit(model: Path, to: Path) -> tuple[int, dict[str, object], str]:
        code = run(["refit", str(model), "--out", str(to), *words])
        printed, message = capsys.readouterr()
        return code, json.loads(printed), message

    rate("ann")
    code, summary, message = refit(folder, out)
    assert (code, summary) == (6, {"refitted": False, "new_events": 1, "min_events": 2})
    assert "not refitted: 1 new event since the last refit, and --min-events is 2" in message
    assert not out.exists()
    rate("bob")
    code, summary, _ = refit(folder, out)
    assert (code, summary["refitted"], summary["new_events"]) == (0, True, 2)
    assert summary["ratings"] == summary["ratings_before"] + 2
    version = (out / "model.json").read_bytes()
    assert refit(out, out)[:2] == (6, {"refitted": False, "new_events": 0, "min_events": 2})
    assert (out / "model.json").read_bytes() == version
    rate("cleo", "dora", "ed")
    code, summary, _ = refit(out, out)
    assert (code, summary["new_events"]) == (0, 3)
    store.close()


def test_every_refit_is_of_one_event_at_least(folder, capsys):
    assert run(["refit", str(folder), "--out", str(folder), "--min-events", "0"]) == 2
    assert "it is 0; give a whole number of at least 1" in capsys.readouterr().err


# What can go wrong before it answers.


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "films.example"])
def test_a_public_bind_needs_a_token(folder, capsys, monkeypatch, host):
    monkeypatch.delenv("MATINEE_TOKEN", raising=False)
    assert run(["serve", str(folder), "--host", host]) == 2
    assert "needs a token" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words, code, said",
    [
        (["--token", "short"], 2, "at least 16"),
        (["--store", "mysql://localhost/x"], 1, "SQLite or PostgreSQL"),
        (["--record", "nothing.jsonl"], 1, "no record"),
        (["--k-curve", "nothing.json"], 1, "is no k-curve"),
        (["--beside", "nothing"], 5, "no model"),
    ],
)
def test_what_cannot_be_served_is_told(folder, capsys, monkeypatch, words, code, said):
    monkeypatch.delenv("MATINEE_TOKEN", raising=False)
    assert run(["serve", str(folder), "--port", "0", *words]) == code
    assert said in capsys.readouterr().err


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment without a token."""
    monkeypatch.delenv("MATINEE_TOKEN", raising=False)
    monkeypatch.delenv("MATINEE_TOKEN_FILE", raising=False)
    return monkeypatch


def token_served(monkeypatch: pytest.MonkeyPatch, folder: Path, *words: str) -> str | None:
    """The token that ``matinee serve`` would start with."""
    started: list[ServerSettings] = []
    monkeypatch.setattr(
        "matinee.cli.commands.serve.start", lambda settings, show: started.append(settings)
    )
    assert run(["serve", str(folder), *words]) == 0
    return started[0].endpoint.token


def test_a_token_comes_from_a_file_or_the_environment(folder, tmp_path, bare_environment, capsys):
    file, other = tmp_path / "token", tmp_path / "other"
    file.write_text(f"{TOKEN}\n")
    other.write_text("another-token-for-tests")
    served = partial(token_served, bare_environment, folder)
    assert served() is None
    assert served("--token-file", str(file)) == TOKEN
    bare_environment.setenv("MATINEE_TOKEN_FILE", str(other))
    assert served() == "another-token-for-tests"
    assert served("--token-file", str(file)) == TOKEN
    bare_environment.delenv("MATINEE_TOKEN_FILE")
    bare_environment.setenv("MATINEE_TOKEN", "a-token-of-the-environment")
    assert served() == "a-token-of-the-environment"
    assert served("--token-file", str(file)) == TOKEN
    assert capsys.readouterr().err == ""
    assert served("--token", TOKEN) == TOKEN
    assert "list of processes; give --token-file" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content, text", [(None, "No such file"), (b"\xff", "not text"), (b"x", "16")]
)
def test_a_token_file_that_will_not_do_is_refused(
    folder, tmp_path, bare_environment, capsys, content, text
):
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    assert run(["serve", str(folder), "--port", "0", "--token-file", str(file)]) == 2
    assert text in capsys.readouterr().err


def test_two_tokens_are_refused(folder, tmp_path, bare_environment, capsys):
    file = tmp_path / "token"
    file.write_text(TOKEN)
    assert run(["serve", str(folder), "--token", TOKEN, "--token-file", str(file)]) == 2
    assert "one token" in capsys.readouterr().err


def test_a_busy_port_is_told(folder, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert run(["serve", str(folder), "--port", str(taken.getsockname()[1])]) == 1
    assert "--port (0 finds a free one)" in capsys.readouterr().err


def test_a_missing_extra_is_told(folder, capsys, monkeypatch):
    monkeypatch.setattr("matinee.display.optional.find_spec", lambda name: None)
    for words in (["serve", str(folder)], ["refit", str(folder), "--out", "x"]):
        assert run(words) == 1
        assert 'pip install "matinee[serve]"' in capsys.readouterr().err


def test_refitting_without_a_store_is_told(folder, tmp_path, capsys):
    assert run(["refit", str(folder), "--out", str(tmp_path / "new")]) == 1
    assert "there is no feedback store" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
