"""How alike two texts are."""

import pytest

from app.tickets.duplicates import ALIKE, similarity

SAID = "反映危房改造补助资金未按标准发放，要求补发差额。"


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        (SAID, True),
        (SAID + "请尽快处理。", True),
        ("来电人反映" + SAID, True),
        ("咨询养老金待遇资格认证怎样办理。", False),
        ("", False),
    ],
)
def test_texts_of_the_same_matter_are_alike(other: str, alike: bool) -> None:
    assert (similarity(SAID, other) >= ALIKE) is alike


def test_long_texts_are_judged_by_how_they_begin() -> None:
    tail = "".join(chr(0x4E00 + n) for n in range(2000))

    assert similarity(SAID * 20 + tail, SAID * 20) == 1.0
