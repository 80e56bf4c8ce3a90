"""``ipyweb list``."""

import json
from collections.abc import Callable

Answer = Callable[..., tuple[int, str, str]]


def test_json_has_the_fields_of_the_design(publish: Callable[..., int], answer: Answer, project: str) -> None:
    number = publish({"text/plain": "1", "text/html": "<b>1</b>"}, title="One", display_id="first")
    status, out, _ = answer("list", "--json")
    (record,) = json.loads(out)
    assert status == 0
    assert {
        *("id", "display_id", "session", "project", "title", "mimetypes"),
        *("created", "updated", "version", "size", "source"),
    } <= set(record)
    assert (record["id"], record["display_id"], record["title"]) == (number, "first", "One")
    assert (record["project"], record["version"]) == (project, 1)
    assert record["mimetypes"] == ["text/html", "text/plain"]
    assert set(record["source"]) == {"file", "line", "cell", "code", "argv", "cwd", "git", "versions"}


def test_it_speaks_of_this_project(publish: Callable[..., int], ids: Callable[..., list[int]]) -> None:
    mine, other = publish(), publish(project="/elsewhere")
    assert ids() == [mine]
    assert ids("--all") == [mine, other]


def test_outputs_come_oldest_first_however_many_there_are(
    publish: Callable[..., int], ids: Callable[..., list[int]]
) -> None:
    published = [publish() for _ in range(7)]
    assert ids() == published


def test_several_pages_are_one_list(
    publish: Callable[..., int], ids: Callable[..., list[int]], monkeypatch: object
) -> None:
    from ipyweb.cli import outputs

    monkeypatch.setattr(outputs, "PAGE", 2)  # type: ignore[attr-defined]
    published = [publish() for _ in range(4)]
    assert ids() == published


def test_people_get_a_table(publish: Callable[..., int], answer: Answer) -> None:
    number = publish({"text/plain": "x"}, title="A \x1b[31mtitle")
    status, out, _ = answer("list")
    head, row = out.splitlines()
    assert status == 0
    assert head.split() == ["ID", "UPDATED", "TYPE", "SIZE", "SESSION", "TITLE"]
    assert row.split()[0] == str(number)
    assert "text/plain" in row
    assert "\x1b" not in row


def test_the_projects_are_shown_where_there_are_several(publish: Callable[..., int], answer: Answer) -> None:
    publish(project="/elsewhere")
    assert "/elsewhere" in answer("list", "--all")[1]


def test_nothing_to_list_is_no_failure(hub: object, answer: Answer, project: str) -> None:
    assert answer("list") == (0, f"no outputs in {project}; --all lists every project\n", "")
    assert answer("list", "--all") == (0, "no outputs yet\n", "")
    assert json.loads(answer("list", "--json")[1]) == []
