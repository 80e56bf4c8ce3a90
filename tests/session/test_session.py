"""What a session sends, and what `clear_output` means."""

import pytest

from ipyweb.session.session import Cell, Session

from .conftest import Sent


def ids(cell: Cell, *given: str) -> list[str]:
    return [cell.place(None, each)[0] for each in given]


def test_displays_of_a_cell_get_display_ids_of_their_own() -> None:
    assert ids(Cell(), "1", "2") == ["1", "2"]


def test_what_is_shown_after_clearing_takes_the_places_in_order() -> None:
    cell = Cell()
    ids(cell, "1", "2")
    assert cell.clear(wait=False) == ["1", "2"]
    assert ids(cell, "3", "4", "5") == ["1", "2", "5"]


def test_clearing_with_wait_clears_when_the_next_thing_comes() -> None:
    cell = Cell()
    ids(cell, "1", "2")
    assert cell.clear(wait=True) == []
    assert cell.place(None, "3") == ("1", True, ["2"])
    assert cell.place(None, "4") == ("2", True, [])


def test_a_loop_that_clears_and_draws_makes_versions_of_one_output() -> None:
    cell = Cell()
    seen = set()
    for number in range(5):
        cell.clear(wait=True)
        display_id, _, cleared = cell.place(None, str(number))
        seen.add(display_id)
        assert cleared == []
    assert seen == {"0"}


def test_a_display_id_of_the_users_own_is_kept() -> None:
    cell = Cell()
    ids(cell, "1")
    cell.clear(wait=False)
    assert cell.place("mine", "2") == ("mine", False, [])


def test_every_display_carries_a_display_id_and_its_source(session: Session, sent: Sent) -> None:
    session.publish({"text/plain": "x"}, title="two\nlines")
    ((header, parts),) = sent.entries()
    content = header["content"]
    assert header["type"] == "display_data"
    assert content["transient"]["display_id"]
    assert content["title"] == "two lines"
    assert content["source"]["file"] == __file__
    assert "session.publish" in content["source"]["code"]
    assert parts == {"text/plain": b"x"}


def test_an_update_names_its_display_id(session: Session, sent: Sent) -> None:
    session.publish({"text/plain": "x"}, display_id="loss", update=True)
    ((header, _),) = sent.entries()
    assert header["type"] == "update_display_data"
    assert header["content"]["transient"] == {"display_id": "loss"}


def test_clearing_nothing_sends_nothing(session: Session, sent: Sent) -> None:
    session.clear_output()
    assert sent.types() == []


def test_a_name_and_privacy_are_told_to_the_hub(session: Session, sent: Sent) -> None:
    session.rename("night run")
    session.make_private()
    assert [header["content"] for header, _ in sent.entries()] == [{"name": "night run"}, {"private": True}]
    hello = session._hello()["session"]
    assert (hello["name"], hello["private"]) == ("night run", True)


def test_the_environment_names_the_session_and_makes_it_private(monkeypatch: pytest.MonkeyPatch) -> None:
    from ipyweb.config import IPyWeb

    monkeypatch.setenv("IPYWEB_SESSION", "agent 3")
    monkeypatch.setenv("IPYWEB_STORE", "memory")
    hello = Session("script", IPyWeb())._hello()["session"]
    assert (hello["name"], hello["private"]) == ("agent 3", True)


def test_the_end_without_any_output_is_silent(session: Session, sent: Sent, capsys: pytest.CaptureFixture[str]) -> None:
    session.end()
    assert sent.types() == []
    assert capsys.readouterr() == ("", "")


def test_a_log_reader_gets_one_line_at_the_end(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        session.publish({"text/plain": "x"})
    list(iter(session.client.backlog.take, None))
    session.client.backlog.acked(3, [(1, 15, 1), (2, 16, 1), (3, 17, 1)])
    session._report()
    assert capsys.readouterr().err == "ipyweb: 3 outputs stored: 15 16 17 · ipyweb get 17\n"


def test_the_line_can_be_silenced(
    session: Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IPYWEB_REPORT", "0")
    session.client.backlog.outputs[1] = None
    session._report()
    assert capsys.readouterr().err == ""
