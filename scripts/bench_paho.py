# SPDX-License-Identifier: MIT
"""A bare paho subscriber as a peer: `bench_paho.py PORT TOPIC COUNT STORE|-`.

With a STORE each message goes into SQLite (WAL, synchronous=FULL), grouped by what has arrived,
and is acknowledged after the commit. Prints `ready`, then `done SECONDS CPU_SECONDS`.
"""

from __future__ import annotations

import queue
import sqlite3
import sys
import threading
import time
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion


def main(port: int, topic: str, count: int, store: str) -> None:
    arrived: queue.Queue[MQTTMessage] = queue.Queue()
    done = threading.Event()
    first: list[float] = []
    seen = 0
    client = Client(
        CallbackAPIVersion.VERSION2, "bench-paho", clean_session=True, manual_ack=store != "-"
    )

    def bare(*_: Any) -> None:
        nonlocal seen
        if not first:
            first.append(time.monotonic())
        seen += 1
        if seen == count:
            done.set()

    def hand_over(client: Client, userdata: object, message: MQTTMessage) -> None:
        if not first:
            first.append(time.monotonic())
        arrived.put(message)

    def keep() -> None:
        conn = sqlite3.connect(store, isolation_level=None)
        conn.execute("PRAGMA journal_mode=WAL")
        conn.execute("PRAGMA synchronous=FULL")
        conn.execute("CREATE TABLE kept(id INTEGER PRIMARY KEY, topic TEXT, payload BLOB)")
        kept = 0
        while kept < count:
            group = [arrived.get()]
            while len(group) < 500 and not arrived.empty():
                group.append(arrived.get())
            conn.execute("BEGIN")
            conn.executemany(
                "INSERT INTO kept(topic, payload) VALUES(?,?)",
                [(m.topic, m.payload) for m in group],
            )
            conn.execute("COMMIT")
            for each in group:
                client.ack(each.mid, each.qos)
            kept += len(group)
        done.set()

    def connected(*_: Any) -> None:
        client.subscribe(topic, 1)

    client.on_message = bare if store == "-" else hand_over
    client.on_connect = connected
    client.on_subscribe = lambda *_: print("ready", flush=True)
    client.connect("127.0.0.1", port)
    if store != "-":
        threading.Thread(target=keep, daemon=True).start()
    client.loop_start()
    cpu = time.process_time()
    done.wait()
    print("done", time.monotonic() - first[0], time.process_time() - cpu, flush=True)
    client.disconnect()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4])
