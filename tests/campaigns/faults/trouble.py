# SPDX-License-Identifier: MIT
"""What befalls the gateway's side of a site, and how it ends: one happening after the other."""

from __future__ import annotations

import shutil

from . import foreign
from .disk import plain_connect
from .schedule import MONTH, Happening
from .site import Site


class Trouble:
    """Told by the schedule when a happening begins and ends."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.foreign = foreign.Foreign()
        self._dying: Happening | None = None
        self._copied = False
        self._restored = 0
        site.broker.on_death = self._broker_dies

    def happen(self, what: Happening) -> None:
        """The beginning of a happening of the gateway's side."""
        kind, again_s = what.kind, what.to_s
        if kind in ("broker_killed", "broker_lost_state"):
            self._dying = what
            self.site.broker.die_after = what.how % 5  # in the next session, else at once
            self.site.at(self.site.time.at_s + 1200.0, self._broker_dies)
        elif kind == "broker_frozen":
            self.site.broker.frozen = True
        elif kind == "village_killed" and what.how % 2:
            self.site.phone.deadly = True
        elif kind in ("intake_killed", "village_killed"):
            process = kind.split("_")[0]
            self.site.disk.kill_after[process] = what.how % (40 if process == "intake" else 150)
        elif kind == "intake_terminated":
            self.site.end_intake(False, again_s)
        elif kind == "village_terminated":
            self.site.village.terminate(again_s)
        elif kind in ("intake_frozen", "village_frozen"):
            (self.site.intake if kind[0] == "i" else self.site.village).frozen = True
        elif kind == "disk_full":
            self.site.disk.full = True
        elif kind == "disk_read_only":
            self.site.disk.write_protect(True)
        elif kind == "commits_slow":
            self.site.disk.slow = True
        elif kind.startswith("database"):
            self.site.database.trouble.append(kind)
        elif kind == MONTH:  # the mail server is in the Internet too
            self.site.database.trouble.append(kind)
            self.site.mail.down = True
        elif kind.startswith("clock"):
            self.site.machine.go_wrong(kind)
        elif kind == "modem_hangs":
            self.site.stick.trouble.share = 1.0
            self.site.stick.trouble.kinds = ("hang",)
        elif kind == "modem_no_network":
            self.site.stick.registered = 2
        elif kind == "unreadable_message":
            before, body = self.site.broker.handed, foreign.body_of(what.how)
            self.site.broker.publish(foreign.TOPIC, body)
            if self.site.broker.handed > before:
                self.foreign.sent(body)
        elif kind == "store_restored":
            self._restore()

    def end(self, what: Happening) -> None:
        """Its end."""
        kind = what.kind
        if kind == "broker_frozen":
            self.site.broker.frozen = False
            self.site.broker.come_back()
        elif kind in ("intake_frozen", "village_frozen"):
            (self.site.intake if kind[0] == "i" else self.site.village).frozen = False
        elif kind == "disk_full":
            self.site.disk.full = False
        elif kind == "disk_read_only":
            self.site.disk.write_protect(False)
        elif kind == "commits_slow":
            self.site.disk.slow = False
        elif kind.startswith("database"):
            self.site.database.trouble.remove(kind)
        elif kind == MONTH:
            self.site.database.trouble.remove(kind)
            self.site.mail.down = False
        elif kind.startswith("clock"):
            self.site.machine.put_right()
        elif kind == "modem_hangs":
            self.site.stick.trouble.share = 0.0
            self.site.stick.power_cycle()
        elif kind == "modem_no_network":
            self.site.stick.registered = 1

    def _broker_dies(self) -> None:
        what, self._dying = self._dying, None
        if what is None:
            return
        self.site.broker.die_after = None
        if what.kind == "broker_lost_state":
            self.foreign.broker_loses(self.site.broker.waiting(), self.site.data / "readings.db")
        self.site.broker.die(what.kind == "broker_lost_state")
        self.site.at(self.site.time.at_s + max(2.0, what.for_s), self.site.broker.come_back)

    def back_up(self) -> None:
        """Somebody copies the store; in the middle of work, as the backup command may."""
        copy = self.site.data / "copy.db"
        copy.unlink(missing_ok=True)
        if not (self.site.data / "readings.db").exists():
            return
        source, target = plain_connect(self.site.data / "readings.db"), plain_connect(copy)
        source.backup(target)
        source.close()
        target.close()
        self._copied = True

    def _restore(self) -> None:
        """The card died: the copy goes on under a new store id."""
        if not self._copied:
            return
        self._restored += 1
        self.site.end_intake(True, self.site.time.at_s + 60.0)
        self.foreign.store_dies(self.site.data / "readings.db", self.site.data / "copy.db")
        for tail in ("", "-wal", "-shm"):
            (self.site.data / f"readings.db{tail}").unlink(missing_ok=True)
        shutil.copy(self.site.data / "copy.db", self.site.data / "readings.db")
        conn = plain_connect(self.site.data / "readings.db")
        conn.execute("UPDATE meta SET value=? WHERE key='store'", (f"{self._restored:08x}",))
        conn.commit()
        conn.close()
