# SPDX-License-Identifier: MIT
"""Start the node on this board; when even that fails, sleep and try again."""

import machine

RETRY_MS = 300000

try:
    from kahriz_node import node
    from kahriz_node.board_esp32 import Board

    board = Board()
    while True:
        node.run(board)
except Exception as error:  # noqa: BLE001 - nothing is left to report to but the serial line
    print("kahriz:", type(error).__name__, error)
    machine.deepsleep(RETRY_MS)
