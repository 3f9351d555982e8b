import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from convscope.base.errors import UserError
from convscope.data import archives
from convscope.data.archives import Archive, fetch
from tests.archive_samples import binary_members, md5_of, packed, python_members, written

CONTENT = packed(python_members())
OTHER = packed(binary_members())
MD5 = md5_of(CONTENT)
NAME = f"{MD5}.tar.gz"
PARTIAL = f".{NAME}.partial"
HALF = len(CONTENT) // 2


class Host(http.server.ThreadingHTTPServer):
    """A local web server: each path misbehaves in its own way."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked: list[tuple[str, str | None]] = []
        self.released = threading.Event()

    def archive(self, path: str, md5: str = MD5) -> Archive:
        return Archive(url=f"http://127.0.0.1:{self.server_port}/{path}", md5=md5)


class Answer(http.server.BaseHTTPRequestHandler):
    server: Host

    def do_GET(self) -> None:
        start = int((self.headers["Range"] or "bytes=0-")[6:-1])
        path = self.path[1:]
        self.server.asked.append((path, self.headers["Range"]))
        if path == "no-ranges":
            start = 0
        if path == "absent":
            self.send_error(404)
        elif start >= len(CONTENT):
            self.send_error(416)
        elif path == "html":
            self.send(b"<html>sign in first</html>", 26)
        elif path == "other":
            self.send(OTHER, len(OTHER))
        elif path == "cut":
            self.send(CONTENT[:HALF], len(CONTENT))
        elif path == "stalled":
            self.send(CONTENT[:HALF], len(CONTENT))
            self.server.released.wait(10)
        else:
            self.send(CONTENT[start:], len(CONTENT) - start, start)

    def send(self, body: bytes, length: int, start: int = 0) -> None:
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(length))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(archives, "STALL_SECONDS", 5.0)
    server = Host()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


def failure(sources: list[Archive], folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        fetch(sources, folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_download_is_kept_under_its_md5_and_found_again(host: Host, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    source = host.archive("whole")
    path, archive = fetch([source], folder)
    assert (path, archive) == (folder / NAME, source)
    assert path.read_bytes() == CONTENT
    assert fetch([host.archive("absent")], folder)[0] == path
    assert host.asked == [("whole", None)]
    assert names(folder) == [NAME]


def test_a_kept_file_that_changed_is_downloaded_again(host: Host, tmp_path: Path) -> None:
    written(tmp_path / NAME, CONTENT[:-1] + b"?")
    path, _ = fetch([host.archive("whole")], tmp_path)
    assert path.read_bytes() == CONTENT
    assert host.asked == [("whole", None)]


def test_progress_ends_at_the_total(host: Host, tmp_path: Path) -> None:
    calls: list[tuple[str, int, int | None]] = []
    source = host.archive("whole")
    fetch([source], tmp_path, lambda *call: calls.append(call))
    assert calls[-1] == (source.url, len(CONTENT), len(CONTENT))
    done = [call[1] for call in calls]
    assert done == sorted(set(done))


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("absent", "404"),
        ("cut", f"the connection was cut after {HALF} of {len(CONTENT)} bytes"),
        ("html", f"its md5 is {md5_of(b'<html>sign in first</html>')}, not {MD5}"),
        ("other", f"its md5 is {md5_of(OTHER)}, not {MD5}"),
    ],
)
def test_what_fails_is_told_and_the_next_is_tried(
    host: Host, tmp_path: Path, path: str, why: str
) -> None:
    bad = host.archive(path)
    message = failure([bad], tmp_path / "bad")
    assert f"{bad.url}, md5 {bad.md5} (" in message
    assert why in message
    assert NAME not in names(tmp_path / "bad")
    found, archive = fetch([host.archive(path, "0" * 32), host.archive("whole")], tmp_path / "good")
    assert found.read_bytes() == CONTENT
    assert archive == host.archive("whole")


def test_a_stalled_download_is_given_up(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "STALL_SECONDS", 0.2)
    assert "(not a byte for 0.2 s)" in failure([host.archive("stalled")], tmp_path)
    assert names(tmp_path) == [PARTIAL]


def test_nobody_listening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        source = Archive(url=f"http://127.0.0.1:{silent.getsockname()[1]}/whole", md5=MD5)
        assert f"{source.url}, md5 {MD5} (Connection refused)" in failure([source], tmp_path)


def test_a_cut_download_goes_on_at_a_mirror(host: Host, tmp_path: Path) -> None:
    sources = [host.archive("cut"), host.archive("whole")]
    path, archive = fetch(sources, tmp_path)
    assert path.read_bytes() == CONTENT
    assert host.asked == [("cut", None), ("whole", f"bytes={HALF}-")]
    assert names(tmp_path) == [NAME]
    # the mirror that answered must not show in what is made from the file
    assert archive == sources[0]


def test_a_server_without_ranges_starts_over(host: Host, tmp_path: Path) -> None:
    written(tmp_path / PARTIAL, CONTENT[:HALF])
    path, _ = fetch([host.archive("no-ranges")], tmp_path)
    assert path.read_bytes() == CONTENT
    assert host.asked == [("no-ranges", f"bytes={HALF}-")]


@pytest.mark.parametrize("start", [b"?" * HALF, b"?" * 2 * len(CONTENT)])
def test_a_wrong_partial_file_is_thrown_away(host: Host, tmp_path: Path, start: bytes) -> None:
    written(tmp_path / PARTIAL, start)
    path, _ = fetch([host.archive("whole")], tmp_path)
    assert path.read_bytes() == CONTENT
    assert host.asked == [("whole", f"bytes={len(start)}-"), ("whole", None)]
    assert names(tmp_path) == [NAME]


def test_an_interrupted_download_leaves_nothing_that_looks_whole(
    host: Host, tmp_path: Path
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch([host.archive("whole")], tmp_path, interrupt)
    assert names(tmp_path) == [PARTIAL]


@pytest.mark.parametrize("form", ["file://{}", "file://localhost{}", "file:{}"])
def test_a_file_is_verified_in_place(tmp_path: Path, form: str) -> None:
    path = written(tmp_path / "my toy.tar.gz", CONTENT)
    source = Archive(url=form.format(str(path).replace(" ", "%20")), md5=MD5)
    assert fetch([source], tmp_path / "data") == (path, source)
    assert names(tmp_path) == ["my toy.tar.gz"]
    assert source.origin == "file:my toy.tar.gz"


def test_a_relative_file_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "toy.tar.gz", CONTENT)
    path, _ = fetch([Archive(url="file:toy.tar.gz", md5=MD5)], tmp_path / "data")
    assert path.resolve() == tmp_path / "toy.tar.gz"


def test_a_url_that_cannot_be_parsed(tmp_path: Path) -> None:
    assert f"https://[host/a.tar.gz, md5 {MD5} (Invalid IPv6 URL)" in failure(
        [Archive(url="https://[host/a.tar.gz", md5=MD5)], tmp_path
    )


def test_all_failures_are_told_in_one_line_with_a_way_on(tmp_path: Path) -> None:
    wrong = written(tmp_path / "wrong.tar.gz", OTHER)
    message = failure(
        [
            Archive(url=f"file://{wrong}", md5=MD5),
            Archive(url="file:///absent.tar.gz", md5="0" * 32),
            Archive(url="file://data/toy.tar.gz", md5=MD5),
        ],
        tmp_path / "data",
    )
    assert message == (
        "params.yaml: data.archives: no archive is available: "
        f"file://{wrong}, md5 {MD5} (its md5 is {md5_of(OTHER)}, not {MD5}); "
        f"file:///absent.tar.gz, md5 {'0' * 32} (No such file or directory); "
        f"file://data/toy.tar.gz, md5 {MD5} "
        "(a file url is file:///absolute/path or file:relative/path). "
        "To go on offline, download one of them by any means and set data.archives to "
        "[{url: file:///path/of/the/archive.tar.gz, md5: the md5 given here with its url}], "
        "or use data=digits"
    )
    assert wrong.read_bytes() == OTHER
    assert "the list is empty" in failure([], tmp_path)


def test_a_server_that_sends_for_ever_is_left(host: Host, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(archives, "MAX_BYTES", HALF)
    with pytest.raises(UserError, match="it is larger than"):
        fetch([host.archive("whole")], tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", ["/dev/zero", "/tmp"])
def test_what_is_not_a_file_is_not_read(path: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="it is not a file"):
        fetch([Archive(url=f"file://{path}", md5=MD5)], tmp_path)
