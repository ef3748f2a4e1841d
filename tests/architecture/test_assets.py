"""The committed bundles are what their source builds, and nothing in them calls home."""

import hashlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "app" / "ui" / "static"
ASSETS = ROOT / "assets"


def digest(path: Path) -> str:
    """As the build writes it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def manifest() -> dict[str, dict[str, str]]:
    """What the last build read and wrote."""
    return json.loads((STATIC / "dist" / "manifest.json").read_text())


def test_no_source_changed_since_the_last_build(manifest: dict[str, dict[str, str]]) -> None:
    folders = [*(ASSETS / "lib").rglob("*"), *(ASSETS / "viewer").rglob("*")]
    files = [ASSETS / name for name in ("build.mjs", "icons.json", "package-lock.json")]
    found = {str(path.relative_to(ASSETS)): digest(path) for path in [*folders, *files]}

    assert found == manifest["sources"], "run: make assets"


def test_no_bundle_was_edited_by_hand(manifest: dict[str, dict[str, str]]) -> None:
    built = [path for folder in ("vendor", "dist") for path in (STATIC / folder).rglob("*")]
    found = {
        str(path.relative_to(STATIC)): digest(path)
        for path in built
        if path.is_file() and path.name != "manifest.json"
    }

    assert found == manifest["outputs"], "run: make assets"


def test_the_lock_file_names_no_registry() -> None:
    lock = (ASSETS / "package-lock.json").read_text()

    assert '"resolved"' not in lock


@pytest.mark.parametrize("sheet", sorted(STATIC.rglob("*.css")), ids=lambda path: path.name)
def test_stylesheets_load_nothing_from_elsewhere(sheet: Path) -> None:
    text = sheet.read_text()

    assert "url(data:" not in text
    assert "url(http" not in text
    assert "@import" not in text


def test_the_viewer_keeps_the_mark_of_its_makers() -> None:
    assert "bjs-powered-by" in (STATIC / "dist" / "bpmn-viewer.js").read_text()
    assert "bjs-powered-by" not in (STATIC / "css" / "app.css").read_text()


def test_every_vendored_package_has_its_licence() -> None:
    text = (STATIC / "vendor" / "LICENSES.txt").read_text()

    for name in ("bootstrap ", "bootstrap-icons ", "bpmn-js ", "htmx.org ", "swagger-ui-dist "):
        assert f"\n  {name}" in text
