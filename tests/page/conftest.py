# SPDX-License-Identifier: MIT
"""The page served for real, by uvicorn on a port of its own."""

import contextlib
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
import uvicorn

sys.path.insert(0, str(Path(__file__).parent))

from stores_made import HandClock, heard, living, plan_of

from kahriz_gateway.page.app import create_app
from kahriz_water.plan import Plan

Serve = Callable[..., str]


@contextlib.contextmanager
def served(plan: Plan, data: Path, clock: HandClock, token: str | None = None) -> Iterator[str]:
    """The address of the page of a kahriz."""
    config = uvicorn.Config(
        create_app(plan, data, clock, token), host="127.0.0.1", port=0, log_level="warning"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the page did not start")
        thread.join(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True  # it ends while the next test begins


@pytest.fixture
def serve() -> Generator[Serve, None, None]:
    """Serve a folder: `serve(data)` returns the address; everything ends with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda data, clock=None, plan=None: stack.enter_context(
            served(plan or plan_of(), data, clock or HandClock())
        )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A leaking kahriz, its nodes heard."""
    living(tmp_path, leak=True)
    heard(tmp_path, plan_of())
    return tmp_path
