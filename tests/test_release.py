"""What is published and how it is run in containers, as far as files tell."""

import re
import tarfile
import zipfile
from importlib import import_module
from pathlib import Path

import pytest

import matinee
from matinee.cli import COMMANDS
from matinee.cli.commands.serve import command as serve
from matinee.server.prometheus import ServerMetrics
from scripts import script_of

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def checks():
    """``.ci/check_distributions.py`` as a module."""
    return script_of(".ci/check_distributions.py")


def read(name: str) -> dict:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


# Distributions.


def test_every_file_states_the_version_of_the_package():
    assert set(checks().stated_versions().values()) == {matinee.__version__}
    assert list(checks().wrong_with_versions(f"v{matinee.__version__}")) == []
    assert list(checks().wrong_with_versions("v9.9.9")) != []


def test_a_wheel_is_held_against_the_package(tmp_path):
    inside = f"matinee-{matinee.__version__}.dist-info/"
    metadata = [
        "Metadata-Version: 2.4",
        "Name: matinee",
        f"Version: {matinee.__version__}",
        "Summary: A recommender.",
        "License-Expression: Apache-2.0",
        "Requires-Python: >=3.11",
        "Description-Content-Type: text/markdown",
        "",
        "# Matinee",
    ]
    files = {
        "matinee/__init__.py": "",
        "matinee/py.typed": "",
        f"{inside}METADATA": "\n".join(metadata),
        f"{inside}entry_points.txt": "",
        f"{inside}licenses/LICENSE": "",
    }
    tracked = {"src/matinee/__init__.py", "src/matinee/py.typed", "README.md"}
    assert list(checks().wrong_with_wheel(wheel_of(files, tmp_path), tracked)) == []
    for name in files.keys() - {f"{inside}METADATA"}:
        rest = {other: text for other, text in files.items() if other != name}
        (wrong, *_) = checks().wrong_with_wheel(wheel_of(rest, tmp_path), tracked)
        assert wrong.startswith("some.whl lacks ")
    more = wheel_of(files | {"tests/test_x.py": ""}, tmp_path)
    assert list(checks().wrong_with_wheel(more, tracked)) == ["some.whl holds tests/test_x.py"]
    files[f"{inside}METADATA"] = "Name: matinee\nVersion: 9.9.9\n\nText"
    wrong = list(checks().wrong_with_wheel(wheel_of(files, tmp_path), tracked))
    assert len(wrong) == len(checks().FIELDS) + 2  # described otherwise, another version


def wheel_of(files: dict[str, str], folder: Path) -> Path:
    path = folder / "some.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    return path


def test_an_sdist_is_held_against_the_repository(tmp_path):
    path = tmp_path / "some.tar.gz"
    with tarfile.open(path, "w:gz") as sdist:
        sdist.add(ROOT / "README.md", "matinee-0/README.md")
    assert list(checks().wrong_with_sdist(path, {"README.md"})) == []
    lacks = list(checks().wrong_with_sdist(path, {"README.md", "docs/index.md"}))
    assert lacks == ["some.tar.gz lacks docs/index.md"]


# Containers.


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, in order, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]


def last(word: str) -> str:
    return [rest for name, rest in instructions() if name == word][-1]


def test_the_image_is_small_and_its_user_can_do_little():
    words = [word for word, _ in instructions()]
    images = [rest.split()[0] for word, rest in instructions() if word == "FROM"]
    assert all(re.fullmatch(r"[\w./-]+:\d[\w.-]*", image) for image in images), "a tag that stays"
    assert len(images) == 2, "what builds is not what runs"
    assert "ADD" not in words
    uid, _, gid = last("USER").partition(":")
    assert int(uid) >= 10_000
    assert int(gid) >= 10_000
    after_user = words[len(words) - words[::-1].index("USER") :]
    assert not {"RUN", "COPY"} & set(after_user), "nothing is written as the user"
    installs = [rest for word, rest in instructions() if word == "RUN" and "pip install" in rest]
    assert all("--no-cache-dir" in rest for rest in installs)
    assert last("ENTRYPOINT").startswith("["), "so that signals reach the server"
    assert "/readyz" in last("HEALTHCHECK")
    assert "CMD [" in last("HEALTHCHECK")


def test_the_image_holds_the_wheel_alone():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert ignored[0] == "*"
    copied = [rest for word, rest in instructions() if word == "COPY" and "--from" not in rest]
    assert [rest.split()[0] for rest in copied] == [one.removeprefix("!") for one in ignored[1:]]


def default_port() -> int:
    return next(option.default for option in serve.params if option.name == "port")


def test_the_port_is_the_same_everywhere():
    port = default_port()
    assert last("EXPOSE") == str(port)
    assert f"127.0.0.1:{port}/" in last("HEALTHCHECK")
    compose = read("compose.yaml")
    assert compose["services"]["server"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    (scraped,) = read("deploy/prometheus.yml")["scrape_configs"]
    assert scraped["static_configs"] == [{"targets": [f"server:{port}"]}]


def test_services_are_closed_and_wait_for_one_another():
    services = read("compose.yaml")["services"]
    for name, service in services.items():
        assert "no-new-privileges:true" in service["security_opt"], name
        assert "privileged" not in service, name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        tag = service["image"].partition(":")[2]
        assert "build" in service or re.match(r"v?\d", tag), name
        for other, condition in service.get("depends_on", {}).items():
            assert condition == {"condition": "service_healthy"}
            assert other == "server" or "healthcheck" in services[other]
    server = services["server"]
    assert server["read_only"] is True
    assert server["tmpfs"] == ["/tmp"]
    assert server["cap_drop"] == ["ALL"]
    assert all(volume.endswith(":ro") for volume in server["volumes"])


def test_what_services_name_is_there():
    compose = read("compose.yaml")
    for service in compose["services"].values():
        assert set(service.get("secrets", ())) <= set(compose["secrets"])
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            if source.startswith("./deploy"):
                assert (ROOT / source).is_file()
            else:
                assert source in compose["volumes"] or source == "./model"


# Dashboard and services.


def names_of_metrics() -> set[str]:
    """The names of all samples that /metrics may give."""
    endings = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"], "info": ["_info"]}
    metrics = ServerMetrics()
    families = [*metrics.registry.collect(), *metrics.facts.collect()]
    return {one.name + end for one in families for end in endings.get(one.type, [""])}


def test_every_metric_of_the_dashboard_is_given():
    dashboard = read("deploy/grafana/matinee.json")
    expressions = [one["expr"] for panel in dashboard["panels"] for one in panel["targets"]]
    named = set(re.findall(r"matinee_\w+", " ".join(expressions)))
    assert named <= names_of_metrics()
    families = {re.sub("_(total|bucket|count|sum|info)$", "", one) for one in names_of_metrics()}
    shown = {re.sub("_(total|bucket|count|sum|info)$", "", one) for one in named}
    assert shown == families, "each is on the dashboard"
    assert all(text.count("(") == text.count(")") for text in expressions)


def test_the_dashboard_asks_the_prometheus_that_is_there():
    dashboard, services = read("deploy/grafana/matinee.json"), read("compose.yaml")["services"]
    (source,) = read("deploy/grafana/datasource.yml")["datasources"]
    assert {panel["datasource"]["uid"] for panel in dashboard["panels"]} == {source["uid"]}
    assert source["url"].removeprefix("http://").partition(":")[0] in services
    (provider,) = read("deploy/grafana/dashboards.yml")["providers"]
    targets = [volume.split(":")[1] for volume in services["grafana"]["volumes"]]
    assert f"{provider['options']['path']}/matinee.json" in targets
    places = [(one["gridPos"]["x"], one["gridPos"]["y"]) for one in dashboard["panels"]]
    assert len(set(places)) == len({one["id"] for one in dashboard["panels"]}) == len(places)


@pytest.mark.parametrize("unit", ["matinee.service", "matinee-refit.service"])
def test_services_of_systemd_run_commands_that_exist(unit):
    text = (ROOT / "deploy" / "systemd" / unit).read_text(encoding="utf-8")
    start = re.search(r"^ExecStart=\S+/matinee (.*)$", text, re.MULTILINE)
    assert start is not None
    name, *words = start[1].split()
    import_module(COMMANDS[name]).command.make_context(name, words)  # refuses unknown options


def test_the_command_of_the_server_is_understood():
    command = read("compose.yaml")["services"]["server"]["command"]
    assert command[0] == "serve"
    parsed = serve.make_context("serve", list(command[1:]), resilient_parsing=False).params
    assert parsed["host"] == "0.0.0.0"
    assert parsed["hosts"] == ("server",), "by which Prometheus asks it"
    environment = read("compose.yaml")["services"]["server"]["environment"]
    known = {option.envvar for option in serve.params if getattr(option, "envvar", None)}
    assert set(environment) <= known


# Workflows.


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_do_no_more_than_it_must(path):
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"]
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step)
            assert "secrets." not in str(step)
            assert "uses" not in step or re.search(r"@(v\d+|release/v\d+)$", step["uses"])


def test_a_release_is_published_without_a_secret():
    jobs = read(".github/workflows/release.yml")["jobs"]
    publish = jobs["publish"]
    assert publish["permissions"] == {"id-token": "write"}
    assert publish["needs"] == "build"
    assert publish["environment"] == "release"
    commands = "\n".join(step.get("run", "") for step in jobs["build"]["steps"])
    for part in ("python -m build", "check_distributions.py dist --tag", "twine check --strict"):
        assert part in commands
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "check_distributions.py" in script
    assert "twine check --strict" in script


def test_classifiers_name_the_pythons_that_were_tried():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    classified = set(re.findall(r"Python :: (3\.\d+)", text))
    pages = (ROOT / "docs" / "releases.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (3\.\d+(?:, 3\.\d+)*) \| (.*) \|$", pages, re.MULTILINE)
    tried = {
        one for names, what in rows if not what.startswith("nothing") for one in names.split(", ")
    }
    assert classified == set(", ".join(tried).split(", "))
