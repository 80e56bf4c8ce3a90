"""``ipyweb clear``."""

from collections.abc import Callable

from ipyweb import connection

Answer = Callable[..., tuple[int, str, str]]
Ids = Callable[..., list[int]]
Publish = Callable[..., int]


def test_this_projects_outputs_are_removed(publish: Publish, answer: Answer, ids: Ids) -> None:
    publish()
    publish()
    other = publish(project="/elsewhere")
    assert answer("clear") == (0, "2 outputs removed\n", "")
    assert ids("--all") == [other]


def test_all_means_every_project(publish: Publish, answer: Answer, ids: Ids) -> None:
    publish(project="/elsewhere")
    assert answer("clear", "--all") == (0, "1 output removed\n", "")
    assert ids("--all") == []


def test_young_outputs_stay(publish: Publish, answer: Answer, ids: Ids) -> None:
    number = publish()
    assert answer("clear", "--older-than", "30d") == (0, "0 outputs removed\n", "")
    assert ids() == [number]


def test_pinned_outputs_stay(hub: connection.Connection, publish: Publish, answer: Answer, ids: Ids) -> None:
    number = publish()
    connection.request(hub, "PATCH", f"api/outputs/{number}", {"pinned": True})
    assert answer("clear") == (0, "0 outputs removed\n", "")
    assert ids() == [number]


def test_the_trash_is_emptied_for_good(publish: Publish, answer: Answer, ids: Ids) -> None:
    removed, kept = publish(), publish(project="/elsewhere")
    assert answer("clear", "--trash") == (0, "0 outputs deleted for good\n", "")
    answer("clear")
    assert answer("status")[1].splitlines()[2].startswith("1 output in the trash, ")
    assert answer("clear", "--trash") == (0, "1 output deleted for good\n", "")
    assert answer("get", str(removed))[0] == 1
    assert ids("--all") == [kept]
