"""Order, numbers, replay and conflation of what is on its way."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ipyweb.session.backlog import Backlog, Receipt


def display(display_id: str = "a") -> dict[str, Any]:
    return {"type": "display_data", "content": {"transient": {"display_id": display_id}}}


def update(display_id: str = "a", **fields: Any) -> dict[str, Any]:
    return {"type": "update_display_data", "content": {"transient": {"display_id": display_id}}, **fields}


def taken(backlog: Backlog) -> list[int]:
    return [entry.seq for entry in iter(backlog.take, None)]


def test_messages_are_numbered_when_they_are_taken() -> None:
    backlog = Backlog()
    for _ in range(3):
        backlog.add(display(), {})
    assert taken(backlog) == [1, 2, 3]
    assert len(backlog) == 3


def test_an_acknowledgement_settles_everything_up_to_it() -> None:
    backlog = Backlog()
    receipts = [backlog.add(display(), {"text/plain": b"x"}) for _ in range(3)]
    taken(backlog)
    backlog.acked(2, [(1, 17, 1), (2, 18, 1)])
    assert [receipt.status for receipt in receipts] == ["stored", "stored", "queued"]
    assert [receipt.output for receipt in receipts] == [17, 18, None]
    assert list(backlog.outputs) == [17, 18]
    assert backlog.wait_for(receipts[0], 0)
    assert not backlog.wait_empty(0)


def test_after_a_break_everything_unsettled_is_sent_again_in_order_with_its_number() -> None:
    backlog = Backlog()
    for _ in range(4):
        backlog.add(display(), {})
    taken(backlog)
    backlog.acked(1, [])
    backlog.add(display(), {})
    backlog.rewind()
    assert backlog.first_seq == 2
    assert taken(backlog) == [2, 3, 4, 5]


def test_a_waiting_update_is_overtaken_by_a_newer_one() -> None:
    backlog = Backlog()
    backlog.add(display(), {})
    first = backlog.add(update(n=1), {"text/plain": b"1"})
    second = backlog.add(update(n=2), {"text/plain": b"2"})
    entries = list(iter(backlog.take, None))
    assert [entry.header.get("n") for entry in entries] == [None, 2]
    assert entries[1].parts == {"text/plain": b"2"}
    backlog.acked(2, [(1, 5, 1), (2, 5, 2)])
    assert (first.status, first.version, second.version) == ("stored", 2, 2)
    assert backlog.bytes == 0


def test_first_displays_and_other_messages_are_never_dropped() -> None:
    backlog = Backlog()
    for header in (display("a"), update("a"), display("a"), update("a"), {"type": "clear_output"}, update("a")):
        backlog.add(header, {})
    assert len(taken(backlog)) == 6


def test_updates_of_different_displays_do_not_meet() -> None:
    backlog = Backlog()
    for display_id in "abab":
        backlog.add(update(display_id), {})
    assert len(taken(backlog)) == 2


def test_an_update_that_was_sent_is_not_changed_any_more() -> None:
    backlog = Backlog()
    backlog.add(update(n=1), {})
    taken(backlog)
    backlog.add(update(n=2), {})
    backlog.rewind()
    assert [entry.header["n"] for entry in iter(backlog.take, None)] == [1, 2]


def test_a_refused_message_has_failed_with_the_reason() -> None:
    backlog = Backlog()
    receipt = backlog.add(display(), {})
    taken(backlog)
    backlog.failed(1, "too large")
    assert (receipt.status, receipt.error) == ("failed", "too large")
    assert backlog.wait_empty(0)


def test_drained_messages_are_numbered_and_no_longer_held() -> None:
    backlog = Backlog()
    backlog.add(display(), {"text/plain": b"x"})
    backlog.take()
    backlog.add(display(), {})
    assert [entry.seq for entry in backlog.drain()] == [1, 2]
    assert (len(backlog), backlog.bytes, backlog.first_seq) == (0, 0, 3)


steps = st.lists(st.sampled_from(["display", "update a", "update b", "take", "ack", "rewind"]), max_size=60)


@given(steps)
def test_whatever_happens_numbers_stay_in_order_and_the_last_update_arrives(script: list[str]) -> None:
    backlog, hub, last = Backlog(), dict[int, Any](), dict[str, tuple[int, Receipt]]()
    for n, step in enumerate(script):
        if step == "display":
            backlog.add(display(str(n)), {})
        elif step.startswith("update"):
            name = step.split()[1]
            last[name] = (n, backlog.add(update(name, n=n), {}))
        elif step == "take" and (entry := backlog.take()):
            assert entry.seq == len(hub) + 1 or entry.seq in hub
            hub[entry.seq] = entry.header
        elif step == "ack":
            backlog.acked(len(hub), [])
        elif step == "rewind":
            backlog.rewind()
    backlog.rewind()
    for entry in iter(backlog.take, None):
        hub[entry.seq] = entry.header
    backlog.acked(len(hub), [])
    assert list(hub) == list(range(1, len(hub) + 1))
    for name, (n, receipt) in last.items():
        sent = [
            h["n"] for h in hub.values() if h.get("n") is not None and h["content"]["transient"]["display_id"] == name
        ]
        assert sent[-1] == n
        assert receipt.status == "stored"
    assert (len(backlog), backlog.bytes) == (0, 0)
