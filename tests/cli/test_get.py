"""``ipyweb get``."""

import base64
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Answer = Callable[..., tuple[int, str, str]]
Publish = Callable[..., int]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.fixture
def picture(publish: Publish) -> int:
    return publish({"image/png": PIXEL, "text/plain": "a pixel"})


def test_the_richest_representation_is_written(publish: Publish, answer: Answer) -> None:
    number = publish({"text/plain": "plain", "text/html": "<b>rich</b>"})
    assert answer("get", str(number)) == (0, "<b>rich</b>", "")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--format", "text"], "plain"),
        (["--format", "txt"], "plain"),
        (["--format=HTML"], "<b>rich</b>"),
        (["--mime", "text/plain"], "plain"),
    ],
)
def test_a_format_chooses_the_representation(words: list[str], expected: str, publish: Publish, answer: Answer) -> None:
    number = publish({"text/plain": "plain", "text/html": "<b>rich</b>"})
    assert answer("get", str(number), *words) == (0, expected, "")


def test_json_is_any_json_there_is(publish: Publish, answer: Answer) -> None:
    number = publish({"application/vnd.plotly.v1+json": {"data": [], "layout": {}}, "text/plain": "Figure()"})
    assert json.loads(answer("get", str(number), "--format", "json")[1]) == {"data": [], "layout": {}}


def test_a_file_gets_the_bytes_and_its_name_chooses_the_format(picture: int, answer: Answer, tmp_path: Path) -> None:
    assert answer("get", str(picture), "-o", str(tmp_path / "pixel.png")) == (0, "", "")
    assert (tmp_path / "pixel.png").read_bytes() == base64.b64decode(PIXEL)
    assert answer("get", str(picture), "-o", str(tmp_path / "pixel.txt"))[0] == 0
    assert (tmp_path / "pixel.txt").read_text() == "a pixel"
    assert sorted(path.name for path in tmp_path.glob("*pixel*")) == ["pixel.png", "pixel.txt"]


def test_a_file_that_cannot_be_written_is_a_failure(picture: int, answer: Answer, tmp_path: Path) -> None:
    status, _, error = answer("get", str(picture), "-o", str(tmp_path / "nosuch" / "pixel.png"))
    assert status == 1
    assert "nosuch" in error


def test_last_is_the_newest_of_this_project(publish: Publish, answer: Answer) -> None:
    publish({"text/plain": "old"})
    publish({"text/plain": "new"})
    publish({"text/plain": "elsewhere"}, project="/elsewhere")
    assert answer("get", "last")[1] == "new"
    assert answer("get", "last", "--all")[1] == "elsewhere"


def test_last_of_nothing_is_a_failure(hub: object, answer: Answer, project: str) -> None:
    status, _, error = answer("get", "last")
    assert status == 1
    assert f"no outputs in {project}" in error
    assert answer("get", "last", "--all") == (1, "", "ipyweb: there are no outputs yet\n")


def test_an_unknown_id_says_which_there_are(publish: Publish, answer: Answer) -> None:
    first, second = publish(), publish()
    status, out, error = answer("get", "999")
    assert (status, out) == (1, "")
    assert error == f"ipyweb: there is no output 999; there are {first} {second}\n"


def test_a_missing_representation_says_which_there_are(publish: Publish, answer: Answer) -> None:
    number = publish({"text/plain": "x"})
    status, _, error = answer("get", str(number), "--format", "svg")
    assert status == 1
    assert error == f"ipyweb: output {number} has no image/svg+xml; it has text/plain\n"


def test_stdout_gets_the_bytes_unchanged(picture: int) -> None:
    done = subprocess.run([sys.executable, "-m", "ipyweb", "get", str(picture)], capture_output=True, check=True)
    assert done.stdout == base64.b64decode(PIXEL)


def test_a_terminal_is_not_spoilt(picture: int) -> None:
    reader, terminal = pty.openpty()
    command = [sys.executable, "-m", "ipyweb", "get", str(picture)]
    done = subprocess.run(command, stdout=terminal, stderr=subprocess.PIPE, text=True, check=False)
    os.close(terminal)
    os.close(reader)
    assert done.returncode == 1
    assert "image/png would spoil the terminal; write it to a file with -o FILE" in done.stderr


def test_json_is_the_record_with_its_words_and_its_data(picture: int, publish: Publish, answer: Answer) -> None:
    def told(*words: str) -> dict[str, Any]:
        status, out, error = answer("get", *words, "--json")
        assert (status, error) == (0, "")
        found: dict[str, Any] = json.loads(out)
        return found

    record = told(str(picture))
    assert (record["id"], record["mimetypes"], record["text"]) == (picture, ["image/png", "text/plain"], "a pixel")
    assert record["content"] == {"mimetype": "image/png", "bytes": 70, "base64": PIXEL}
    assert told(str(picture), "-o", "pixel.png")["content"]["path"] == str(Path("pixel.png").absolute())
    assert Path("pixel.png").read_bytes() == base64.b64decode(PIXEL)
    assert told(str(picture), "--format", "text")["content"] == {
        "mimetype": "text/plain",
        "bytes": 7,
        "text": "a pixel",
    }
    number = publish({"application/json": {"a": [1]}, "text/html": "<b>rich &amp; bold</b>"})
    assert told(str(number), "--format", "json")["content"]["json"] == {"a": [1]}
    assert told(str(number))["text"] == "rich & bold"


def test_style_and_size_are_for_what_can_be_drawn(picture: int, publish: Publish, answer: Answer) -> None:
    number = publish({"application/vnd.plotly.v1+json": {"data": []}})
    assert "--transparent is for matplotlib figures" in answer("get", str(number), "--transparent")[2]
    assert "has only the size it has" in answer("get", str(picture), "--width", "9")[2]
    assert answer("get", str(number), "--dpi", "0")[0] == 2
