"""The simulator's memory survives a restart and a torn last line."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.simulator.journal import Journal, KeyReused

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "journal.jsonl"


def test_a_key_is_applied_once_and_its_repeats_are_counted(path: Path) -> None:
    journal = Journal(path, "GZ")
    first, again = (journal.receive("status-events", "k1", "d1", {"a": 1}, NOW) for _ in range(2))
    journal.close()

    assert (first[1], again[1]) == (False, True)
    assert first[0].receipt_no == again[0].receipt_no == "GZ-20261124-000001"
    assert first[0].deliveries == 2
    assert len(journal.received) == 1


def test_a_key_with_another_body_is_refused(path: Path) -> None:
    journal = Journal(path, "GZ")
    journal.receive("status-events", "k1", "d1", {"a": 1}, NOW)

    with pytest.raises(KeyReused):
        journal.receive("status-events", "k1", "d2", {"a": 2}, NOW)
    journal.close()


def test_everything_is_there_after_a_restart(path: Path) -> None:
    journal = Journal(path, "GZ")
    journal.receive("return-requests", "k1", "d1", {"内容": "贵州\n第二行"}, NOW)
    journal.receive("return-requests", "k1", "d1", {"内容": "贵州\n第二行"}, NOW)
    journal.refuse("status-events", 500, "返回500错误", NOW)
    journal.submit("投诉", {"x": 1}, 201, {"code": "0"}, NOW)
    journal.follow_up("催单", "TS1", {"content": "询问进展"}, 201, {"code": "0"}, NOW)
    journal.decide(1, {"approved": True, "opinion": "同意", "answer": {}}, NOW)
    journal.close()

    again = Journal(path, "GZ")
    again.close()

    assert again.received == journal.received
    assert again.received[0].deliveries == 2
    assert again.received[0].decisions[0]["opinion"] == "同意"
    assert again.refused == journal.refused
    assert again.submitted == journal.submitted
    assert again.followed_up == journal.followed_up == again.sent_after("TS1")
    assert again.sent_after("TS2") == []


def test_a_torn_last_line_is_cut_and_writing_goes_on(path: Path) -> None:
    journal = Journal(path, "GZ")
    journal.receive("status-events", "k1", "d1", {}, NOW)
    journal.close()
    with path.open("ab") as file:
        file.write(b'{"kind":"received","no":2,"at"')

    second = Journal(path, "GZ")
    second.receive("status-events", "k2", "d2", {}, NOW)
    second.close()
    third = Journal(path, "GZ")
    third.close()

    assert [each.key for each in third.received] == ["k1", "k2"]
    assert [each.no for each in third.received] == [1, 2]


def test_messages_are_found_by_number(path: Path) -> None:
    journal = Journal(path, "GZ")
    journal.receive("status-events", "k1", "d1", {}, NOW)
    journal.close()

    assert journal.message(1) is journal.received[0]
    assert journal.message(0) is None
    assert journal.message(2) is None
