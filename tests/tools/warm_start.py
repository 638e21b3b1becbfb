# SPDX-License-Identifier: MIT
"""Programs of Python started by fork from one that has imported them: same code, 0.3 s less each.

`python -m esptool` and `python -m kahriz` are run some hundred times by these tests, and nearly all
of their time is the import. The server (this file, run as a program) imports, then forks for every
request; the child gets the arguments, the environment and the three descriptors of a process.
"""

import contextlib
import importlib
import json
import os
import runpy
import select
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from typing import Any

IMPORTS = (
    *("esptool", "esptool.cmds", "rich_click", "serial", "cryptography.x509"),
    *("kahriz.cli", "kahriz_gateway.cli", "kahriz_gateway.authority.cli"),
    *("kahriz_gateway.authority.site", "kahriz_gateway.records.records"),
    *("kahriz_gateway.village.store", "kahriz_gateway.intake.by_hand_cli"),
)
WARM = ("esptool", "kahriz")
MOST_BYTES = 1 << 16


class Warm:
    """Stands where a module has imported `subprocess`; other commands are run as ever."""

    TimeoutExpired = subprocess.TimeoutExpired

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="warm", dir="/tmp")  # a short name
        self._door = f"{self._folder.name}/door"
        self._one_at_a_time = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None

    def _started(self) -> None:
        """With the first program that is asked for."""
        if self._server is None:
            ready, says = os.pipe()
            self._server = subprocess.Popen(
                [sys.executable, __file__, self._door, str(says)],
                pass_fds=(says,),
                stdin=subprocess.PIPE,  # it ends with us, however we end
            )
            os.close(says)
            with os.fdopen(ready, "rb") as line:
                assert line.read() == b"ready"

    def close(self) -> None:
        if self._server is not None:
            assert self._server.stdin is not None
            self._server.stdin.close()
            self._server.wait()
        self._folder.cleanup()

    def run(
        self, command: Sequence[str], *, check: bool, capture_output: bool, **how: Any
    ) -> subprocess.CompletedProcess[Any]:
        known = command[0] == sys.executable and command[1] == "-m" and command[2] in WARM
        if not known:
            more = {"check": check, "capture_output": capture_output, **how}
            return subprocess.run(command, **more)
        given = how.get("input") or b""
        data = given.encode() if isinstance(given, str) else given
        temporary = tempfile.TemporaryFile
        with temporary() as stdin, temporary() as out, temporary() as err:
            stdin.write(data)
            stdin.seek(0)
            fds = [stdin.fileno(), out.fileno(), err.fileno()]
            code = self._ask(command, dict(how.get("env") or os.environ), fds, how)
            out.seek(0)
            err.seek(0)
            said, wrong = out.read(), err.read()
        if how.get("text"):
            return subprocess.CompletedProcess(command, code, said.decode(), wrong.decode())
        return subprocess.CompletedProcess(command, code, said, wrong)

    def _ask(
        self, command: Sequence[str], env: dict[str, str], fds: list[int], how: dict[str, Any]
    ) -> int:
        asked = json.dumps({"argv": list(command[2:]), "env": env, "cwd": os.getcwd()}).encode()
        with self._one_at_a_time, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line:
            self._started()
            line.settimeout(how.get("timeout"))
            line.connect(self._door)
            socket.send_fds(line, [asked], fds)
            try:
                answer = line.recv(16)
            except TimeoutError as error:
                raise subprocess.TimeoutExpired(command, how["timeout"]) from error
        assert answer, "the warm server has died"
        return int(answer)


def serve(door: str, ready: int) -> None:
    """Import, listen, fork; one program at a time, until who started us has gone."""
    for name in IMPORTS:
        importlib.import_module(name)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(door)
        listener.listen(8)
        os.write(ready, b"ready")
        os.close(ready)
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            line, _ = listener.accept()
            with line:
                data, fds, _, _ = socket.recv_fds(line, MOST_BYTES, 3)
                child = os.fork()
                if child == 0:
                    listener.close()
                    line.close()
                    os._exit(be(json.loads(data), fds))
                for fd in fds:
                    os.close(fd)
                _, status = os.waitpid(child, 0)
                with contextlib.suppress(OSError):  # who asked has given up waiting
                    line.send(str(os.waitstatus_to_exitcode(status)).encode())


def be(asked: dict[str, Any], fds: list[int]) -> int:
    """What `python -m MODULE …` does; its exit code."""
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
    for number, mode in ((0, "r"), (1, "w"), (2, "w")):
        name = ("stdin", "stdout", "stderr")[number]
        setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])
    module, *rest = asked["argv"]
    sys.argv = [module, *rest]
    code: object = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - as the interpreter does
        import traceback

        traceback.print_exc()
        code = 1
    if isinstance(code, str):
        print(code, file=sys.stderr)
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return int(code or 0)  # type: ignore[call-overload, no-any-return]


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
