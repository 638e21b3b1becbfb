# SPDX-License-Identifier: MIT
"""The flash file outlives the process: every kill is a power cut and nothing worse."""

import json
import signal
import subprocess
import time
from typing import Any

Bench = Any


WRITER = """
import os, sys
n = 0
while True:
    n += 1
    with open("/log", "ab") as log:
        log.write(b"%07d\\n" % n)
    print(n)
"""
READER = "say([line for line in open('/log')])"


def test_kill_9_in_mid_write_loses_nothing_acknowledged(bench: Bench) -> None:
    acknowledged = 0
    for cut in range(6):
        source = WRITER.replace("n = 0", f"n = {acknowledged}")
        (bench.image / "main.py").write_text(source)
        writer = subprocess.Popen(bench.command(bench.world()), stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        for _ in range(20 + 7 * cut):
            acknowledged = int(writer.stdout.readline())
        time.sleep(0.003 * cut)
        writer.kill()
        acknowledged = max([acknowledged, *map(int, writer.stdout.read().splitlines()[:-1])])
        writer.wait()
        (lines,) = bench.run(READER)
        numbers = [int(line) for line in lines]
        assert numbers[:acknowledged] == list(range(1, acknowledged + 1))
        assert len(numbers) - acknowledged <= 2
        acknowledged = len(numbers)


def test_a_new_flash_is_formatted_and_given_its_configuration(bench: Bench) -> None:
    config = bench.folder / "outlet.json"
    config.write_text(json.dumps({"v": 1, "node": "outlet"}))
    bench.more = ["--config", str(config)]
    main = (
        "say(json.load(open('/config.json')))\nwith open('/config.json', 'w') as f: f.write('{}')"
    )
    assert bench.run(main) == [{"v": 1, "node": "outlet"}]
    assert bench.run(main) == [{}]
    assert bench.flash.stat().st_size == 384 * 4096


def test_the_node_sees_its_flash_and_not_the_host(bench: Bench) -> None:
    main = "import os\nsay(os.listdir('/'))\ntry:\n    os.stat('/etc/passwd')\n"
    assert bench.run(main + "except OSError as e:\n    say(e.errno)\n") == [["lib"], 2]


def test_wrong_arguments_are_named(bench: Bench) -> None:
    bench.more = ["--speed", "3"]
    bench.run("say(1)")
    assert bench.code == 2
    assert "unknown argument --speed" in bench.stderr


def test_ctrl_c_ends_the_board_without_a_word(bench: Bench) -> None:
    (bench.image / "main.py").write_text(
        "import machine\nprint(1)\nwhile True:\n    machine.idle()\n"
    )
    board = subprocess.Popen(
        bench.command(bench.world()), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert board.stdout is not None
    assert board.stdout.readline() == "1\n"
    board.send_signal(signal.SIGINT)
    _, stderr = board.communicate(timeout=120)
    assert (board.returncode, stderr) == (130, "")


def test_a_world_that_goes_away_ends_the_board(bench: Bench) -> None:
    main = "import machine\nprint(1)\nwhile True:\n    machine.ADC(34).read_uv()\n"
    (bench.image / "main.py").write_text(main)
    world = bench.world()
    board = subprocess.Popen(
        bench.command(world), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert board.stdout is not None
    assert board.stdout.readline() == "1\n"
    world.hang_up()
    _, stderr = board.communicate(timeout=120)
    assert board.returncode == 3
    assert stderr.startswith("board: the world closed the line")
