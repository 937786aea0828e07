"""Temporary folders whose sockets have paths that the system takes."""

import tempfile

import pytest

from sim.live.socket_room import root_for_socket


@pytest.mark.parametrize(
    ("usual", "root"),
    [("/tmp", None), ("/" + "t" * 79, None), ("/" + "t" * 80, "/tmp"), ("/" + "ä" * 40, "/tmp")],
    ids=["short", "just short enough", "too long", "too long in bytes"],
)
def test_a_folder_is_where_it_usually_is_unless_the_path_of_a_socket_in_it_were_too_long(
    usual: str, root: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", usual)

    assert root_for_socket("run-", "file.sock") == root
