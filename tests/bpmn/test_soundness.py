"""Soundness (健全性) of the shipped diagrams, proved over all their states by an analyser."""

from pathlib import Path

import pytest
import rust_bpmn_analyzer_bindings as analyser

from tests.bpmn.reduction import reduced
from tests.bpmn.walking import ROOT

SHIPPED = sorted((ROOT / "bpmn").glob("*.bpmn"))
PROPERTIES = {
    "no two tokens meet in one place": analyser.analyze_safeness,
    "no activity is dead": analyser.analyze_dead_activities,
    "there is no deadlock": analyser.analyze_option_to_complete,
    "an end is reached once": analyser.analyze_proper_completion,
}


@pytest.mark.parametrize("claim", PROPERTIES)
@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_shipped_diagram_is_sound(file: Path, claim: str) -> None:
    found = PROPERTIES[claim](reduced(file))

    assert found.fulfilled, (found.description, found.problematic_elements)


def test_the_analyser_sees_a_join_that_waits_for_ever() -> None:
    model = reduced(ROOT / "bpmn" / "handling.bpmn")
    broken = model.replace('<exclusiveGateway id="audit_in"', '<parallelGateway id="audit_in"')
    at = broken.index('<parallelGateway id="audit_in"')
    tail = broken[at:].replace("</exclusiveGateway>", "</parallelGateway>", 1)

    found = analyser.analyze_option_to_complete(broken[:at] + tail)

    assert not found.fulfilled
