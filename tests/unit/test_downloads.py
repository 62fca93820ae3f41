"""Downloads from a server on this machine that does everything wrong that servers do."""

from __future__ import annotations

import hashlib
import random
import signal
import subprocess
import sys
import threading
import time

import pytest

from helpers import loopback
from helpers.loopback import cut_short, misplaced, ranged, redirect, slow, stalled, status, whole, without_length
from helpers.studies import ENGINE
from styletransfer.errors import InputError
from styletransfer.files import download

BODY = random.Random(19).randbytes(300_000)
SHA256 = "sha256:" + hashlib.sha256(BODY).hexdigest()
MD5 = "md5:" + hashlib.md5(BODY).hexdigest()
# Where connections break: between two chunks, so that nothing is lost and tests can be exact.
CUT = download.CHUNK_BYTES
OTHER = bytes(reversed(BODY))
OTHER_SHA256 = hashlib.sha256(OTHER).hexdigest()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with loopback.serve() as running:
        yield running


@pytest.fixture
def target(tmp_path):
    return tmp_path / "new" / "vgg.h5"


def fetch(urls, path, **changes):
    options = {"size": len(BODY), "checksum": SHA256, "timeout": 5, "retries": 3, "backoff": 0.01, "schemes": ("http",)}
    download.fetch([urls] if isinstance(urls, str) else urls, path, **{**options, **changes})


def failure(urls, path, **changes):
    """The message of a fetch that must fail, with one line for each address; afterwards there is no file."""
    with pytest.raises(download.DownloadError) as caught:
        fetch(urls, path, **changes)
    assert not path.exists()
    assert str(caught.value).count("\n") == (0 if isinstance(urls, str) else len(urls))
    return str(caught.value)


def files_in(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


@pytest.mark.parametrize("checksum", [SHA256, MD5, SHA256.upper().replace("SHA", "sha"), None])
@pytest.mark.parametrize("size", [len(BODY), None])
def test_a_good_server_gives_the_file_and_nothing_else(server, target, size, checksum):
    fetch(server.url("/file", whole(BODY)), target, size=size, checksum=checksum)
    assert target.read_bytes() == BODY
    assert files_in(target.parent) == ["vgg.h5"]
    assert server.ranges("/file") == [None]


def test_a_file_that_is_right_already_is_not_fetched_again(server, target):
    target.parent.mkdir()
    target.write_bytes(BODY)
    fetch(server.url("/file", status(500)), target)
    assert server.requests == []


@pytest.mark.parametrize("size", [len(BODY), None])
def test_a_file_that_is_wrong_is_replaced(server, target, size):
    target.parent.mkdir()
    target.write_bytes(OTHER)
    fetch(server.url("/file", whole(BODY)), target, size=size)
    assert target.read_bytes() == BODY


PASSING = {
    f"HTTP {code}": ([status(code), status(code), whole(BODY)], 3 * [None]) for code in (500, 502, 504, 429, 408)
}
NONSENSE = {
    f"Retry-After {value!r}": ([status(503, Retry_After=value), whole(BODY)], 2 * [None])
    for value in ("soon", "-3", "", "Fri, 99 Foo 9999")
}
RECOVERIES = {
    "a transfer that breaks is resumed where it broke": (
        [ranged(BODY, cut=CUT), ranged(BODY, cut=2 * CUT), ranged(BODY)],
        [None, f"bytes={CUT}-", f"bytes={2 * CUT}-"],
    ),
    "a server that ignores Range is read from the beginning": (
        [cut_short(BODY, CUT), whole(BODY)],
        [None, f"bytes={CUT}-"],
    ),
    "bytes from elsewhere are not taken": (
        [cut_short(BODY, CUT), misplaced(BODY, 50_000), ranged(BODY)],
        [None, f"bytes={CUT}-", f"bytes={CUT}-"],
    ),
    "an early end without a length is noticed": ([without_length(BODY[:CUT]), whole(BODY)], [None, f"bytes={CUT}-"]),
    **PASSING,
    **NONSENSE,
}


@pytest.mark.parametrize(("answers", "ranges"), RECOVERIES.values(), ids=RECOVERIES)
def test_what_passes_is_tried_again(server, target, answers, ranges):
    fetch(server.url("/file", *answers), target)
    assert target.read_bytes() == BODY
    assert server.ranges("/file") == ranges


PARTS = {
    "of a longer file": (OTHER + OTHER, whole(BODY), {"size": None}, ["bytes=600000-"]),
    "of another file": (OTHER[:CUT], ranged(BODY), {}, [f"bytes={CUT}-", None]),
    "without a checksum": (OTHER[:CUT], ranged(BODY), {"checksum": None}, [None]),
    "without size or checksum": (OTHER[:CUT], ranged(BODY), {"size": None, "checksum": None}, [None]),
    "whole": (BODY, ranged(BODY), {}, []),
    # The server says 416, nothing more to send.
    "whole, of unknown size": (BODY, ranged(BODY), {"size": None}, [f"bytes={len(BODY)}-"]),
    "too long": (BODY + b"more", ranged(BODY), {"size": None}, [f"bytes={len(BODY) + 4}-", None]),
}


@pytest.mark.parametrize(("part", "answer", "options", "ranges"), PARTS.values(), ids=PARTS)
def test_a_part_that_is_there_is_resumed_or_replaced(server, target, part, answer, options, ranges):
    target.parent.mkdir()
    target.with_name("vgg.h5.part").write_bytes(part)
    fetch(server.url("/file", answer), target, **options)
    assert target.read_bytes() == BODY
    assert server.ranges("/file") == ranges


def test_a_part_is_kept_for_the_next_address_where_another_has_a_file_of_another_size(server, target):
    target.parent.mkdir()
    target.with_name("vgg.h5.part").write_bytes(BODY[:CUT])
    fetch([server.url("/other", whole(BODY + b"!")), server.url("/file", ranged(BODY))], target)
    assert target.read_bytes() == BODY
    assert server.ranges("/file") == [f"bytes={CUT}-"]


def test_without_a_checksum_a_transfer_that_breaks_begins_again(server, target):
    fetch(server.url("/file", ranged(OTHER, cut=CUT), ranged(BODY)), target, checksum=None)
    assert target.read_bytes() == BODY
    assert server.ranges("/file") == [None, None]


def test_a_part_of_an_earlier_call_is_resumed(server, target):
    failure(server.url("/file", ranged(BODY, cut=CUT)), target, retries=0)
    assert target.with_name("vgg.h5.part").read_bytes() == BODY[:CUT]
    fetch(server.url("/file", ranged(BODY)), target)
    assert target.read_bytes() == BODY
    assert server.ranges("/file") == [None, f"bytes={CUT}-"]


def test_a_transfer_that_is_always_cut_short_fails_and_keeps_its_part(server, target):
    message = failure(server.url("/file", cut_short(BODY, 100_000)), target, retries=2)
    assert "cut short" in message
    assert "tried 3 times" in message
    assert len(server.requests) == 3


def test_progress_renews_the_retries(server, target, monkeypatch):
    monkeypatch.setattr(download, "PROGRESS_BYTES", 10_000)
    monkeypatch.setattr(download, "CHUNK_BYTES", 10_000)
    breaks = [ranged(BODY, cut=position) for position in range(20_000, 300_000, 20_000)]
    fetch(server.url("/file", *breaks, ranged(BODY)), target, retries=1)
    assert target.read_bytes() == BODY
    assert len(server.requests) == len(breaks) + 1


def test_a_stalled_transfer_ends_after_the_timeout(server, target):
    begin = time.monotonic()
    message = failure(server.url("/file", stalled(BODY, 100_000)), target, timeout=0.3, retries=1)
    assert time.monotonic() - begin < 3
    assert "timed out" in message.lower()
    assert "tried 2 times" in message


def test_a_stalled_transfer_is_taken_up(server, target):
    fetch(server.url("/file", stalled(BODY, 200_000), ranged(BODY)), target, timeout=0.3)
    assert target.read_bytes() == BODY
    resumed = server.ranges("/file")[1]
    assert resumed is not None
    assert int(resumed.removeprefix("bytes=").removesuffix("-")) >= 200_000 - download.CHUNK_BYTES


def test_a_server_that_says_when_to_come_back_is_obeyed(server, target):
    begin = time.monotonic()
    fetch(server.url("/file", status(503, Retry_After="1"), whole(BODY)), target)
    assert 1 <= time.monotonic() - begin < 3


@pytest.mark.parametrize(
    "answer",
    [
        *(status(code) for code in (404, 403, 401, 410, 304)),
        *(status(503, Retry_After=value) for value in ("86400", "Fri, 31 Dec 2999 23:59:59 GMT")),
        whole(OTHER),
        redirect("ftp://127.0.0.1/file"),
    ],
)
def test_a_refusal_or_a_corrupt_file_leads_to_the_next_address_at_once(server, target, answer):
    fetch([server.url("/gone", answer), server.url("/file", whole(BODY))], target)
    assert target.read_bytes() == BODY
    assert [path for path, _ in server.requests] == ["/gone", "/file"]


def test_a_proxy_of_the_environment_is_used(server, target, monkeypatch):
    monkeypatch.setenv("http_proxy", server.url(""))
    server.answers["http://files.invalid/file"] = [whole(BODY)]
    fetch("http://files.invalid/file", target)
    assert target.read_bytes() == BODY


@pytest.mark.parametrize("url", ["", "vgg.h5", "http://", "http://[::1/file", "http://127.0.0.1:99999/file"])
def test_a_malformed_address_leads_to_the_next_one(server, target, url):
    fetch([url, server.url("/file", whole(BODY))], target)
    assert target.read_bytes() == BODY


def test_nobody_listening_is_tried_again_and_then_left(server, target, caplog):
    with loopback.serve() as gone:
        closed = gone.url("/file")
    fetch([closed, server.url("/file", whole(BODY))], target, retries=2)
    assert target.read_bytes() == BODY
    refused = "[Errno 111] Connection refused"
    assert caplog.messages == [*2 * [f"127.0.0.1/file: {refused}; trying again"], f"{closed}: {refused}"]


def test_if_all_fail_the_message_has_a_remedy_and_a_line_for_every_address(server, target):
    with loopback.serve() as gone:
        closed = gone.url("/file")
    urls = [server.url("/gone", status(404)), server.url("/broken", status(500)), server.url("/other", whole(OTHER))]
    first, *lines = failure([*urls, closed], target, retries=1).splitlines()
    assert first == f"vgg.h5 cannot be downloaded. {download.REMEDY}. Tried:"
    assert lines == [
        f"  {urls[0]}: HTTP 404 Not Found",
        f"  {urls[1]}: HTTP 500 Internal Server Error",
        f"  {urls[2]}: sha256 {OTHER_SHA256}, expected {SHA256.replace(':', ' ')}",
        f"  {closed}: [Errno 111] Connection refused",
    ]
    assert isinstance(download.DownloadError(""), InputError)


def test_no_address_at_all_is_an_error(target):
    assert "No address" in failure([], target)


def test_a_corrupt_file_is_deleted_and_both_sums_are_named(server, target):
    url = server.url("/file", whole(OTHER))
    message = failure(url, target)
    assert OTHER_SHA256 in message
    assert SHA256.removeprefix("sha256:") in message
    assert url in message
    assert files_in(target.parent) == []
    assert len(server.requests) == 1


@pytest.mark.parametrize("sent", [BODY[:-1], BODY + b"!"])
@pytest.mark.parametrize("answer", [whole, without_length])
def test_a_wrong_size_is_noticed_and_named(server, target, sent, answer):
    message = failure(server.url("/file", answer(sent)), target, retries=0)
    assert str(len(BODY)) in message
    # Nothing but a beginning may stay, to go on from: never a file that is too long.
    part = target.with_name("vgg.h5.part")
    assert not part.exists() or BODY.startswith(part.read_bytes())


def test_a_wrong_size_is_noticed_before_the_transfer(server, target):
    begin = time.monotonic()
    assert "600000" in failure(server.url("/file", slow(BODY + OTHER, 20)), target)
    assert time.monotonic() - begin < 3


def test_a_server_that_does_not_stop_is_stopped(server, target):
    message = failure(server.url("/file", without_length(BODY * 20)), target)
    assert "more than the expected 300000 bytes" in message
    assert not target.with_name("vgg.h5.part").exists()


def test_a_redirect_is_followed(server, target):
    server.url("/new", whole(BODY))
    fetch(server.url("/old", redirect("/new")), target)
    assert target.read_bytes() == BODY


def test_a_redirect_in_a_circle_leads_to_the_next_address(server, target):
    fetch([server.url("/round", redirect("/round")), server.url("/file", whole(BODY))], target)
    assert target.read_bytes() == BODY


@pytest.mark.parametrize("forbidden", ["ftp://127.0.0.1/file", "file:///etc/hostname", "https://127.0.0.1:1/file"])
def test_a_redirect_to_a_forbidden_scheme_is_refused(server, target, forbidden):
    message = failure(server.url("/old", redirect(forbidden)), target)
    assert "only http is allowed" in message
    assert len(server.requests) == 1


def test_only_https_is_allowed_unless_told_otherwise(server, target):
    message = failure(server.url("/file", whole(BODY)), target, schemes=("https",))
    assert "only https is allowed" in message
    assert server.requests == []


def test_a_connection_that_cannot_be_trusted_is_not_used(server, target):
    url = server.url("/file", whole(BODY)).replace("http:", "https:")
    assert "SSL" in failure(url, target, schemes=("https",))


@pytest.mark.parametrize("checksum", ["", "md5", "md5:12", "sha1:" + 40 * "0", "sha256:" + 64 * "g", "0" * 64])
def test_a_malformed_checksum_is_an_error(target, checksum):
    with pytest.raises(InputError, match=r"vgg\.h5.*neither md5"):
        fetch("http://127.0.0.1:1/", target, checksum=checksum)


def test_a_folder_that_cannot_be_made_is_an_error(server, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(download.DownloadError, match="cannot be written"):
        fetch(server.url("/file", whole(BODY)), tmp_path / "file" / "vgg.h5")


def test_two_fetches_at_once_download_once(server, target):
    url = server.url("/file", slow(BODY, 0.5))
    threads = [threading.Thread(target=fetch, args=(url, target)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert target.read_bytes() == BODY
    assert len(server.requests) == 1


def test_two_processes_at_once_download_once_and_both_succeed(server, target):
    url = server.url("/file", slow(BODY, 1))
    both = [start_command(url, target) for _ in range(2)]
    assert [process.wait(30) for process in both] == [0, 0]
    assert target.read_bytes() == BODY
    assert len(server.requests) == 1


def test_a_killed_fetch_leaves_a_part_that_the_next_one_resumes(server, target):
    part = target.with_name("vgg.h5.part")
    process = start_command(server.url("/file", stalled(BODY, 200_000)), target)
    while not part.exists() or not part.stat().st_size:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = part.stat().st_size
    fetch(server.url("/file", ranged(BODY)), target)
    assert target.read_bytes() == BODY
    assert server.ranges("/file") == [None, f"bytes={kept}-"]


def start_command(url, path):
    command = [*ENGINE, "fetch", "--source", "keras", "--output", path, "--url", url]
    return subprocess.Popen([*command, "--checksum", SHA256, "--allow-http"], stderr=subprocess.DEVNULL)


def test_a_log_gets_a_plain_line_now_and_then(server, target, monkeypatch, capsys):
    monkeypatch.setattr(download, "REPORT_SECONDS", 0.1)
    fetch(server.url("/file", slow(BODY, 0.5)), target)
    lines = capsys.readouterr().err.splitlines()
    assert lines
    assert all(line.startswith("vgg.h5: ") and line.endswith(" of 0.3 MB") for line in lines)


def test_a_terminal_gets_a_bar(server, target, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    fetch(server.url("/file", whole(BODY)), target)
    assert "vgg.h5: " in capsys.readouterr().err
    assert target.read_bytes() == BODY


def test_verify_names_origin_expected_and_found(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(BODY)
    download.verify(path, size=len(BODY), checksum=MD5)
    with pytest.raises(InputError, match=rf"config.*{MD5[4:]}.*expected md5 {32 * '0'}"):
        download.verify(path, checksum="md5:" + 32 * "0", origin="config")
    with pytest.raises(InputError, match="size 300000 bytes, expected 7 bytes"):
        download.verify(path, size=7)
    with pytest.raises(InputError, match="no such file"):
        download.verify(tmp_path / "absent", size=7)
