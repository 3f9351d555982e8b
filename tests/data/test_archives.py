import http.server
import threading
import urllib.parse
from pathlib import Path
from unittest.mock import Mock

import pytest

from convscope.data import archives
from convscope.data.archives import Archive, fetch
from tests.archive_samples import binary_members, md5_of, packed, python_members, written
from tests.projects import NO_SERVER
from tests.toys import refusal

CONTENT = packed(python_members())
OTHER = packed(binary_members())
MD5 = md5_of(CONTENT)
NAME = f"{MD5}.tar.gz"
PARTIAL = f".{NAME}.partial"
LENGTH = len(CONTENT)
HALF = LENGTH // 2
HTML = b"<html>sign in first</html>"
# what a path of the server sends, and the length that it states
SENT = {
    "html": (HTML, len(HTML)),
    "other": (OTHER, len(OTHER)),
    "cut": (CONTENT[:HALF], LENGTH),
    "stalled": (CONTENT[:HALF], LENGTH),
}


class Answer(http.server.BaseHTTPRequestHandler):
    """A web server's answer: each path misbehaves in its own way."""

    def do_GET(self):
        path, asked = self.path[1:], self.headers["Range"]
        self.server.asked.append((path, asked))
        start = int(asked[6:-1]) if asked and path != "no-ranges" else 0
        if path == "absent" or start >= LENGTH:
            self.send_error(404 if path == "absent" else 416)
            return
        resumed = start and path not in SENT
        body, length = SENT.get(path, (CONTENT[start:], LENGTH - start))
        self.send_response(206 if resumed else 200)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)
        if path == "stalled":
            self.server.released.wait(10)

    def log_message(self, *_): ...


class Host(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def archive(self, path, md5=MD5):
        return Archive(url=f"http://127.0.0.1:{self.server_port}/{path}", md5=md5)


@pytest.fixture
def host(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(archives, "STALL_SECONDS", 5.0)
    with Host(("127.0.0.1", 0), Answer) as server:
        server.asked, server.released = [], threading.Event()
        threading.Thread(target=server.serve_forever, args=[0.01]).start()
        yield server
        server.released.set()
        server.shutdown()


def test_a_download_is_kept_under_its_md5_and_found_again(host, tmp_path):
    folder, calls = tmp_path / "new" / "data", []
    source = host.archive("whole")
    path, archive = fetch([source], folder, lambda *call: calls.append(call))
    assert (path, archive) == (folder / NAME, source)
    assert path.read_bytes() == CONTENT
    assert fetch([host.archive("absent")], folder)[0] == path
    assert host.asked == [("whole", None)]
    assert list(folder.iterdir()) == [folder / NAME]
    assert calls[-1] == (source.url, LENGTH, LENGTH)
    assert calls == sorted(set(calls))


def test_a_download_that_was_killed_at_its_end_is_not_made_again(host, tmp_path):
    (tmp_path / PARTIAL).write_bytes(CONTENT)
    path, _ = fetch([host.archive("whole")], tmp_path)
    assert path.read_bytes() == CONTENT
    assert host.asked == []


@pytest.mark.parametrize("path", ["whole", "html"])  # large, and within a buffer
def test_trouble_of_this_disk_is_told_as_such_and_no_mirror_is_tried(
    path, host, tmp_path, monkeypatch
):
    usual = Path.open
    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", lambda _, mode: usual(Path("/dev/full"), mode))
        with pytest.raises(OSError, match="No space left") as raised:
            fetch([host.archive(path), host.archive("no-ranges")], tmp_path)
    assert raised.value.filename == str(tmp_path)
    assert {asked for asked, _ in host.asked} == {path}
    blocked = tmp_path / "a file"
    blocked.touch()
    with pytest.raises(OSError, match="a file"):
        fetch([host.archive("whole")], blocked)


@pytest.mark.parametrize(
    ("name", "left", "path", "ranges"),
    [
        (NAME, CONTENT[:-1] + b"?", "whole", [None]),
        (PARTIAL, CONTENT[:HALF], "no-ranges", [f"bytes={HALF}-"]),
        (PARTIAL, b"?" * HALF, "whole", [f"bytes={HALF}-", None]),
        (PARTIAL, b"?" * 2 * LENGTH, "whole", [f"bytes={2 * LENGTH}-", None]),
    ],
    ids=["changed", "partial, a server without ranges", "wrong partial", "too long a partial"],
)
def test_a_wrong_file_of_an_earlier_attempt_is_replaced(host, tmp_path, name, left, path, ranges):
    written(tmp_path / name, left)
    found, _ = fetch([host.archive(path)], tmp_path)
    assert found.read_bytes() == CONTENT
    assert host.asked == [(path, asked) for asked in ranges]
    assert list(tmp_path.iterdir()) == [tmp_path / NAME]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("absent", "404"),
        ("cut", f"the connection was cut after {HALF} of {LENGTH} bytes"),
        ("html", f"its md5 is {md5_of(HTML)}, not {MD5}"),
        ("other", f"its md5 is {md5_of(OTHER)}, not {MD5}"),
    ],
)
def test_what_fails_is_reported_and_the_next_is_tried(host, tmp_path, path, why):
    bad = host.archive(path)
    message = refusal(fetch, [bad], tmp_path / "bad")
    assert f"{bad.url}, md5 {bad.md5} (" in message
    assert why in message
    assert not (tmp_path / "bad" / NAME).exists()
    found, archive = fetch([host.archive(path, "0" * 32), host.archive("whole")], tmp_path / "good")
    assert found.read_bytes() == CONTENT
    assert archive == host.archive("whole")


def test_a_stalled_download_is_given_up(host, tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "STALL_SECONDS", 0.2)
    assert "(not a byte for 0.2 s)" in refusal(fetch, [host.archive("stalled")], tmp_path)
    assert list(tmp_path.iterdir()) == [tmp_path / PARTIAL]


def test_a_cut_download_goes_on_at_a_mirror(host, tmp_path):
    sources = [host.archive("cut"), host.archive("whole")]
    path, archive = fetch(sources, tmp_path)
    assert path.read_bytes() == CONTENT
    assert host.asked == [("cut", None), ("whole", f"bytes={HALF}-")]
    assert list(tmp_path.iterdir()) == [tmp_path / NAME]
    # the mirror that answered must not show in what is made from the file
    assert archive == sources[0]


def test_an_interrupted_download_leaves_nothing_that_looks_complete(host, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        fetch([host.archive("whole")], tmp_path, Mock(side_effect=KeyboardInterrupt))
    assert list(tmp_path.iterdir()) == [tmp_path / PARTIAL]


@pytest.mark.parametrize(
    "form", ["file://{}", "file://localhost{}", "file:{}", "file:my%20toy.tar.gz"]
)
def test_a_file_is_verified_in_place(here, form):
    path = written(here / "my toy.tar.gz", CONTENT)
    source = Archive(url=form.format(str(path).replace(" ", "%20")), md5=MD5)
    found, archive = fetch([source], here / "data")
    assert (found.resolve(), archive) == (path, source)
    assert list(here.iterdir()) == [path]
    assert source.origin == "file:my toy.tar.gz"


@pytest.mark.parametrize("quote", [str, urllib.parse.quote])
def test_a_file_may_have_any_name_quoted_or_not(quote, tmp_path):
    path = written(tmp_path / "100% é? 数据 #1.tar.gz", CONTENT)
    source = Archive(url=f"file://{quote(str(path))}", md5=MD5)
    assert fetch([source], tmp_path / "data") == (path, source)
    assert source.origin == f"file:{path.name}"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://[host/a.tar.gz", "Invalid IPv6 URL"),
        ("file:///dev/zero", "it is not a file"),
        ("file:///tmp", "it is a folder: name it in data.path"),
        (f"{NO_SERVER}/whole", "Connection refused"),
    ],
)
def test_what_cannot_be_read_is_named_with_the_reason(tmp_path, monkeypatch, url, why):
    monkeypatch.setenv("no_proxy", "*")
    assert f"{url}, md5 {MD5} ({why})" in refusal(fetch, [Archive(url=url, md5=MD5)], tmp_path)


def test_all_failures_are_in_one_line_with_a_way_on(tmp_path):
    wrong = written(tmp_path / "wrong.tar.gz", OTHER)
    sources = [
        Archive(url=f"file://{wrong}", md5=MD5),
        Archive(url="file:///absent.tar.gz", md5="0" * 32),
        Archive(url="file://data/toy.tar.gz", md5=MD5),
    ]
    message = refusal(fetch, sources, tmp_path / "data")
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
    assert "the list is empty" in refusal(fetch, [], tmp_path)


def test_a_server_that_sends_for_ever_is_left(host, tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_BYTES", HALF)
    assert "it is larger than" in refusal(fetch, [host.archive("whole")], tmp_path)
    assert not list(tmp_path.iterdir())
