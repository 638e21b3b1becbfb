# SPDX-License-Identifier: MIT
"""The port of the broker is part of what a folder keeps."""

import io
import socket
from pathlib import Path

import pytest

from kahriz_sim.chain import Chain
from kahriz_sim.demo_screen import Screen
from kahriz_sim.services import ServiceError


def test_a_folder_whose_run_still_lives_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        (tmp_path / "broker.port").write_text(str(taken.getsockname()[1]))
        chain = Chain(tmp_path, Screen(io.StringIO(), quiet=True), "127.0.0.1:0")
        with pytest.raises(ServiceError, match="end the run that still uses this folder"):
            chain.start_broker("auto")
