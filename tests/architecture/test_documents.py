"""The documents say what is true: lists are the code's, links lead somewhere, examples work."""

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

from app.exchange import signature
from tests.support import reference, source
from tests.support.database import ROOT
from tests.support.reference_lists import LISTS, OTHER_VARIABLES

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_EXAMPLE = r"<!-- example: {} -->\n```\w+\n(.*?)```"
INTEGRATION = (ROOT / "docs" / "howto" / "integrate-12345.md").read_text()
PAGES = reference.documents()


def said_by(module: str) -> str:
    """What a check complains of, in a process of its own: other tests register handlers here."""
    done = subprocess.run(
        [sys.executable, "-m", module, "--check"], cwd=ROOT, capture_output=True, text=True
    )
    return done.stderr if done.returncode else ""


def anchors(text: str) -> set[str]:
    """Where links into a page can point to, as GitHub names them."""
    plain = (re.sub(r"[`*]|\[|\]\([^)]*\)", "", heading) for heading in _HEADING.findall(text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}


def example(name: str, page: str = INTEGRATION) -> str:
    """A fenced block of a page."""
    found = re.search(_EXAMPLE.format(name), page, re.DOTALL)
    assert found is not None, f"there is no example {name}"
    return found[1]


def test_generated_lists_are_up_to_date() -> None:
    assert said_by("tests.support.reference") == ""


def test_every_list_appears_in_some_document() -> None:
    shown = {name for page in PAGES for name in reference.names_in(page.read_text())}

    assert shown == set(LISTS)


def test_openapi_documents_are_up_to_date() -> None:
    assert said_by("tests.support.openapi") == ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in _LINK.findall(_FENCE.sub("", page.read_text())):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            broken.append(link)

    assert broken == []


def test_every_document_is_reached_from_the_index() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        text = _FENCE.sub("", page.read_text())
        waiting += [
            page.parent / path
            for link in _LINK.findall(text)
            if (path := unquote(link).partition("#")[0]) and "://" not in path
        ]

    assert {page.resolve() for page in PAGES} - reached == set()


def test_readme_fits_on_two_screens() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 120


def test_pictures_do_not_burden_the_repository() -> None:
    heavy = [f.name for f in (ROOT / "docs").rglob("*.png") if f.stat().st_size > 300_000]

    assert heavy == []


def test_every_picture_is_shown() -> None:
    shown = {Path(link).name for page in PAGES for link in _LINK.findall(page.read_text())}

    assert {f.name for f in (ROOT / "docs" / "images").iterdir()} <= shown


def test_documents_name_no_path_of_somebodys_machine() -> None:
    private = re.compile(r"/work/|/home/|/root/|TODO|FIXME")
    found = [page.name for page in PAGES if private.search(page.read_text())]

    assert found == []


def test_other_variables_are_explained_and_still_read() -> None:
    assert set(source.environment_variables()) == set(OTHER_VARIABLES)


def test_chinese_terms_of_the_glossary_are_those_of_the_product() -> None:
    rows = re.findall(
        r"^\| [^|]+ \| ([^|]+) \|",
        (ROOT / "docs" / "reference" / "glossary.md").read_text(),
        re.MULTILINE,
    )
    files = [f for kind in ("py", "html", "js") for f in (ROOT / "app").rglob(f"*.{kind}")]
    product = "\n".join(f.read_text() for f in [*files, *(ROOT / "bpmn").glob("*.bpmn")])
    terms = {t for row in rows for t in re.findall(r"[\u4e00-\u9fff]{2,}", row)} - {"中文"}

    assert sorted(term for term in terms if term not in product) == []


@pytest.mark.parametrize("method", ["HMAC-SHA256", "HMAC-SM3"])
@pytest.mark.parametrize("number", [0, 1], ids=["POST", "GET"])
def test_signatures_of_the_integration_page_are_ours(method: str, number: int) -> None:
    values = json.loads(example("signature"))
    wanted = values["requests"][number]

    headers = signature.sign(
        wanted["method"],
        wanted["path"],
        app_id=values["app_id"],
        secret=values["secret"],
        timestamp=values["timestamp"],
        nonce=wanted["nonce"],
        query=wanted["query"],
        body=wanted["body"].encode(),
        sign_method=method,
    )

    assert {name: headers[name] for name in wanted[method]} == wanted[method]


def test_the_string_to_sign_of_the_integration_page_is_ours() -> None:
    values = json.loads(example("signature"))
    first = values["requests"][0]

    text = signature.string_to_sign(
        first["method"],
        first["path"],
        first["query"],
        first["HMAC-SHA256"]["X-Body-Digest"],
        values["app_id"],
        str(values["timestamp"]),
        first["nonce"],
    )

    assert example("string-to-sign") == f"{text.decode()}\n"


def test_the_python_of_the_integration_page_signs_as_we_do() -> None:
    values = json.loads(example("signature"))
    names: dict = {}
    exec(compile(example("python"), "integrate-12345.md", "exec"), names)

    for wanted in values["requests"]:
        signed = names["sign"](
            wanted["method"],
            wanted["path"],
            wanted["query"],
            wanted["body"].encode(),
            values["app_id"],
            values["secret"],
            values["timestamp"],
            wanted["nonce"],
        )
        assert signed == wanted["HMAC-SHA256"]["X-Signature"]


def test_the_python_of_the_hook_page_knows_our_messages_from_others() -> None:
    names: dict = {}
    page = (ROOT / "docs" / "howto" / "notification-hook.md").read_text()
    exec(compile(example("receiver", page), "notification-hook.md", "exec"), names)
    body, said = b'{"text": "x"}', {"path": "/12317", "secret": "s", "now": lambda: 1_795_485_600}
    signed = {"app_id": "zhuanban", "secret": "s", "timestamp": 1_795_485_600_000}
    headers = signature.sign("POST", "/12317", nonce="3f1c9a7e5b2d4860", body=body, **signed)

    assert names["is_genuine"](headers=headers, body=body, **said)
    assert not names["is_genuine"](headers=headers, body=body + b" ", **said)
    assert not names["is_genuine"](headers=headers, body=body, **{**said, "secret": "t"})
    late = {**said, "now": lambda: 1_795_485_600 + 301}
    assert not names["is_genuine"](headers=headers, body=body, **late)


def test_the_shell_command_of_the_integration_page_signs_the_string_to_sign() -> None:
    values = json.loads(example("signature"))
    text, _, command = example("openssl").rpartition("|")

    said = subprocess.run(["sh", "-c", text], capture_output=True, check=True)

    assert said.stdout.decode() == example("string-to-sign").removesuffix("\n")
    assert command.split() == ["openssl", "dgst", "-sha256", "-hmac", values["secret"]]


def test_every_acceptance_scenario_names_tests_that_exist() -> None:
    page = (ROOT / "docs" / "reference" / "scenarios.md").read_text()
    rows = re.findall(r"^\| (\d+) \|[^|]+\|(.+)\|$", page, re.MULTILINE)

    assert [int(number) for number, _ in rows] == [*range(1, 17), 19, 20]
    for number, tests in rows:
        named = re.findall(r"`(tests/\S+\.py)::(test_\w+)`", tests)
        assert named, f"no test of scenario {number}"
        for file, name in named:
            defined = f"def {name}(" in (ROOT / file).read_text()
            assert defined, f"scenario {number} names {name}, which is not in {file}"
