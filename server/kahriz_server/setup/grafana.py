# SPDX-License-Identifier: MIT
"""Grafana through grafana-api, here and nowhere else: folders, a team and a viewer a committee.

Data source, dashboards and alert rules come by provisioning files. A team may look at the folder
of its language; Grafana's free edition cannot keep the rows of one kahriz from the team of another.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from grafana_api.grafana_api import GrafanaClientError, GrafanaException, GrafanaUnauthorizedError
from grafana_api.grafana_face import GrafanaFace
from requests.exceptions import RequestException

from kahriz_server.setup.ask import SetupError
from kahriz_server.setup.changes import Changes
from kahriz_server.setup.wanted import Gateway, Wanted

FOLDERS = {"az": "Kəhriz (az)", "ru": "Кяхриз (ru)", "en": "Kahriz (en)"}
VIEW = 1  # Grafana's number for the permission to look
LEAST = 10  # provisioned alert rules: Grafana 9.1; folders by uid in permissions: 10


def prepare(wanted: Wanted, password: str, folder: Path, changes: Changes) -> None:
    """Folders, teams, viewers and what they may see; run again it changes nothing."""
    assert wanted.grafana_url is not None
    face = _face(wanted.grafana_url, wanted.grafana_user, password)
    try:
        _version(face, wanted.grafana_url)
        for lang, title in FOLDERS.items():
            _folder(face, uid(lang), title, changes)
        for gateway in wanted.gateways:
            team = _team(face, f"kahriz-{gateway.id}", changes)
            _viewer(face, gateway, team, folder, changes)
            _may_view(face, uid(gateway.lang), team, changes)
    except GrafanaUnauthorizedError as error:
        raise SetupError(
            f"{wanted.grafana_url} refuses user {wanted.grafana_user}: look at"
            " --grafana-password-file"
        ) from error
    except GrafanaException as error:
        raise SetupError(f"{wanted.grafana_url}: {error.message}") from error
    except (RequestException, KeyError, TypeError) as error:
        raise SetupError(f"{wanted.grafana_url} does not answer as a Grafana ({error})") from error


def uid(lang: str) -> str:
    """The uid of a language's folder, the same as in the provisioning file."""
    return f"kahriz-folder-{lang}"


def _face(url: str, user: str, password: str) -> GrafanaFace:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SetupError(f"{url!r} is no address: expected http://… or https://…")
    prefix = parts.path.strip("/")
    return GrafanaFace(
        auth=(user, password),
        host=parts.hostname,
        port=parts.port,
        protocol=parts.scheme,
        url_path_prefix=f"{prefix}/" if prefix else "",
        timeout=20.0,
    )


def _version(face: GrafanaFace, url: str) -> None:
    said = str(face.api.GET("/health").get("version", ""))
    if not said.split(".")[0].isdigit() or int(said.split(".")[0]) < LEAST:
        raise SetupError(f"{url} is Grafana {said or 'of no version'}; {LEAST} or newer is needed")


def _folder(face: GrafanaFace, ident: str, title: str, changes: Changes) -> None:
    if _or_none(lambda: face.folder.get_folder(ident)) is None:
        changes.make(f"make folder {title}", lambda: face.folder.create_folder(title, ident))


def _team(face: GrafanaFace, name: str, changes: Changes) -> int | None:
    for each in face.teams.get_team_by_name(name):
        if each["name"] == name:
            return int(each["id"])
    made = changes.make(f"make team {name}", lambda: face.teams.add_team({"name": name}))
    return None if made is None else int(made["teamId"])


def _viewer(
    face: GrafanaFace, gateway: Gateway, team: int | None, folder: Path, changes: Changes
) -> None:
    """One account a committee, no person's name; its first password lies in a file."""
    login = f"committee-{gateway.id}"
    known = _or_none(lambda: face.users.find_user(login))
    if known is None:
        path = folder / f"{login}.password"

        def make() -> Any:
            password = secrets.token_urlsafe(12)
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                out.write(password + "\n")
            user = {"name": login, "login": login, "password": password, "OrgId": 1}
            return face.admin.create_user(user)

        known = changes.make(f"make viewer {login}, its password in {path}", make)
    if known is None or team is None:
        changes.make(f"put {login} into its team", lambda: None)
        return
    ident = int(known["id"])
    if all(member["userId"] != ident for member in face.teams.get_team_members(team)):
        changes.make(f"put {login} into its team", lambda: face.teams.add_team_member(team, ident))


def _may_view(face: GrafanaFace, folder: str, team: int | None, changes: Changes) -> None:
    what = f"let the team look at folder {folder}"
    now = _or_none(lambda: face.folder.get_folder_permissions(folder)) or []
    if team is not None and any(each.get("teamId") == team for each in now):
        return
    kept = [
        {key: each[key] for key in ("role", "teamId", "userId", "permission") if each.get(key)}
        for each in now
        if not each.get("inherited")
    ]
    items = {"items": [*kept, {"teamId": team, "permission": VIEW}]}
    changes.make(what, lambda: face.folder.update_folder_permissions(folder, items))


def _or_none(ask: Any) -> Any:
    """None for what Grafana does not have (404)."""
    try:
        return ask()
    except GrafanaClientError as error:
        if error.status_code == 404:
            return None
        raise
