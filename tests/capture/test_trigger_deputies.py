"""Webhooks and commands: what is told, to a real server and real commands, and that nobody waits for them."""

from __future__ import annotations

import http.server
import json
import os
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.capture.recorded import PATIENCE_SECONDS, Place, until
from tests.capture.triggered import run, start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


class Receiver(http.server.ThreadingHTTPServer):
    """Keeps what is posted; answers with the number that the path ends in."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.posts: list[tuple[str, dict[str, Any]]] = []

    def address(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, Receiver)
        assert self.headers["Content-Type"] == "application/json"
        self.server.posts.append((self.path, json.loads(body)))
        self.send_response(int(self.path[-3:]))
        self.send_header("Location", "/moved/200")
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


# ---- webhook ----


def test_a_webhook_is_told_names_and_sizes_only(place: Place, receiver: Receiver) -> None:
    run(
        place,
        f"""
        hunter2 = ["hunter" + str(2)] * 1000
        outlive.start(triggers=["rss > 1 MiB: report, webhook {receiver.address("/hook?a=b&x=204")}"])
        seen(fired=1)
        """,
    )
    until(lambda: receiver.posts)
    ((path, said),) = receiver.posts
    assert path == "/hook?a=b&x=204"
    assert said.pop("report").endswith(".recording")
    assert said.pop("recording").endswith(".outlive")
    assert {key: type(value) for key, value in said.items()} == {
        "schema": int,
        "event": str,
        "rule": str,
        "metric": str,
        "scope": str,
        "value_bytes": int,
        "time": float,
        "pid": int,
        "program": str,
        "host": str,
        "rss_bytes": int,
        "left_bytes": type(said["left_bytes"]),
        "limit_bytes": type(said["limit_bytes"]),
        "snapshot": type(None),
    }
    assert {type(said["left_bytes"]), type(said["limit_bytes"])} <= {int, type(None)}
    assert said["value_bytes"] == said["rss_bytes"] > 1 << 20
    assert (said["rule"], said["program"]) == ("rss > 1 MiB: report, webhook", "-c")
    assert "hunter2" not in json.dumps(said)


def test_an_answer_that_is_no_success_is_counted_and_no_redirect_followed(
    place: Place, receiver: Receiver
) -> None:
    run(
        place,
        f"""
        outlive.start(triggers=["rss > 1 MiB: webhook {receiver.address("/500")}",
                                "rss > 2 MiB: webhook {receiver.address("/secret/302")}"])
        seen(fired=2, failed=2)
        assert triggers()["last_error"].startswith("webhook: the receiver answered "), triggers()
        file, = pathlib.Path(os.environ["OUTLIVE_RECORDING"]).glob("*.outlive")
        assert b"/secret/" not in file.read_bytes()
        assert b"/secret/" not in next(file.parent.glob("outlive-triggers-*")).read_bytes()
        """,
    )
    assert sorted(path for path, _ in receiver.posts) == ["/500", "/secret/302"]


def test_a_receiver_that_is_not_there_is_counted(place: Place) -> None:
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        run(
            place,
            f"""
            outlive.start(triggers=["rss > 1 MiB: webhook http://127.0.0.1:{taken.getsockname()[1]}/"])
            seen(fired=1, failed=1)
            assert "refused" in triggers()["last_error"], triggers()
            """,
        )


def test_a_webhook_that_hangs_holds_up_nobody(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        child = start(
            place,
            f"""
            import threading
            outlive.start(triggers=["rss > 1 MiB: webhook http://127.0.0.1:{server.getsockname()[1]}/"])
            print("ready", flush=True)
            seen(fired=1)
            before = len(own().timeline)
            until(lambda: len(own().timeline) > before + 1)
            assert threading.active_count() == 1
            assert triggers()["failed"] == 0  # it is not known yet
            """,
        )
        connection, _ = server.accept()
        with connection:
            assert child.communicate(timeout=PATIENCE_SECONDS)[1] == ""
            assert child.returncode == 0
            assert b"POST / HTTP" in connection.recv(1 << 16)
            connection.settimeout(0)
            assert not ended(connection)  # it waits still, without the program


def ended(connection: socket.socket) -> bool:
    """Whether the other side has closed it."""
    try:
        while connection.recv(1 << 16):
            pass
    except BlockingIOError:
        return False
    return True


def test_a_webhook_that_hangs_is_given_up_and_counted(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        run(
            place,
            f"""
            outlive.start(triggers=["rss > 1 MiB: webhook http://127.0.0.1:{server.getsockname()[1]}/"])
            seen(fired=1, failed=1, last_error="webhook: timed out")
            """,
        )


# ---- command ----


def test_a_command_is_words_and_no_shell_and_reads_what_happened(place: Place) -> None:
    script = place.path / "act.py"
    script.write_text(
        "import json, os, pathlib, signal, sys\n"
        "said = {'stdin': json.load(sys.stdin), 'words': sys.argv[1:],\n"
        "        'mask': len(signal.pthread_sigmask(0, ())),\n"
        "        'files': os.listdir('/proc/self/fd'), 'outlive': os.environ.get('OUTLIVE'),\n"
        "        'triggers': os.environ.get('OUTLIVE_TRIGGERS')}\n"
        "pathlib.Path('said.part').write_text(json.dumps(said))\n"
        "os.rename('said.part', 'said')\n"
    )
    place.environment |= {"OUTLIVE": "1", "OUTLIVE_TRIGGERS": "rss > 1 MiB: log"}
    run(
        place,
        f"""
        import shlex
        os.chdir({str(place.path)!r})
        inherited = os.open("/dev/null", os.O_RDONLY)
        os.set_inheritable(inherited, True)
        words = [sys.executable, {str(script)!r}, "$HOME", "a;b, c", "$(touch made)", "*"]
        outlive.start(triggers=["rss > 1 MiB: command " + shlex.join(words)])
        seen(fired=1)
        until(lambda: os.path.exists("said"))
        assert triggers()["failed"] == 0, triggers()
        """,
    )
    said = json.loads((place.path / "said").read_text())
    assert said["words"] == ["$HOME", "a;b, c", "$(touch made)", "*"]
    assert said["stdin"]["rule"] == "rss > 1 MiB: command"
    assert (said["outlive"], said["triggers"]) == ("0", None)
    assert said["mask"] == 0
    assert len(said["files"]) == 4  # the standard streams, and that of the listing
    assert not (place.path / "made").exists()


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("false", "command: false: exit status 1"),
        ("/no/such/thing --token secret", "command: /no/such/thing: No such file or directory"),
        ("sh -c 'kill -9 $$'", "command: sh: exit status -9"),
    ],
)
def test_a_command_that_fails_is_counted(place: Place, command: str, error: str) -> None:
    run(
        place,
        f"""
        outlive.start(triggers=[{"rss > 1 MiB: command " + command!r}])
        seen(fired=1, failed=1, last_error={error!r})
        """,
    )


def test_it_goes_on_when_the_program_is_killed(place: Place) -> None:
    mark = place.path / "done"
    child = start(
        place,
        f"""
        command = "command sh -c 'while kill -0 $0; do sleep 0.02; done; touch {mark}' " + str(os.getpid())
        outlive.start(triggers=["rss > 1 MiB: " + command])
        seen(fired=1)
        print("ready", flush=True)
        input()
        """,
    )
    assert not mark.exists()
    child.kill()
    child.communicate()
    until(mark.exists)


def test_the_program_is_left_no_child_and_no_zombie(place: Place) -> None:
    run(
        place,
        """
        outlive.start(triggers=["rss > 1 MiB: command sleep 30", "rss > 2 MiB: command true"])
        seen(fired=2)
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            pass
        else:
            raise AssertionError
        """,
    )


@pytest.mark.parametrize(
    "hostile",
    [
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
        "[os.close(number) for number in (0, 1)]",
        "os.environ.clear()",
        "sys.executable = '/usr/sbin/uwsgi'",
        "sys.executable = None",
        "os.chdir('/')",
    ],
)
def test_whatever_the_program_did_before(place: Place, hostile: str) -> None:
    mark = place.path / "done"
    run(
        place,
        f"""
        outlive.start(triggers=["rss > 200 MiB: command /bin/touch {mark}"])
        folder = os.environ["OUTLIVE_RECORDING"]
        until(lambda: triggers().get("rules"))
        {hostile}
        os.environ["OUTLIVE_RECORDING"] = folder
        kept = bytearray(b"x" * 250_000_000)
        seen(fired=1, failed=0)
        until(lambda: os.path.exists({str(mark)!r}))
        """,
    )


def test_a_program_that_closes_all_files_keeps_those_it_opens_then(place: Place) -> None:
    mark = place.path / "done"
    run(
        place,
        f"""
        outlive.start(triggers=["rss > 1 MiB: command sh -c 'while ! test -e {mark}; do sleep 0.02; done'"])
        seen(fired=1)
        os.closerange(3, 256)
        theirs = [os.open({str(mark)!r} + str(number), os.O_CREAT | os.O_RDWR) for number in range(40)]
        for each in theirs:
            os.write(each, b"done\\n")
        open({str(mark)!r}, "w").close()
        before = len(own().timeline)
        until(lambda: len(own().timeline) > before + 2)
        assert all(os.fstat(each).st_size == 5 for each in theirs)
        """,
    )
    assert os.path.exists(mark)  # noqa: PTH110 - as the program named it


def test_no_file_stays_open(place: Place) -> None:
    run(
        place,
        """
        def files():
            return [os.readlink(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")
                    if os.path.lexists(f"/proc/self/fd/{name}")]
        def memory():
            return [name for name in files() if "outlive" in name and "memfd" in name]
        outlive.start(triggers=["rss > 1 MiB: command sleep 30", "rss > 2 MiB: command true"])
        seen(fired=2)
        until(lambda: len(memory()) == 1)  # the other one's word is still to come
        if (pid := os.fork()) == 0:
            until(lambda: triggers().get("rules"))
            assert not memory(), files()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        outlive.stop()
        assert not memory(), files()
        """,
    )
