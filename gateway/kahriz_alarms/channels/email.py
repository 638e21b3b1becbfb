# SPDX-License-Identifier: MIT
"""E-mail by SMTP with TLS (port 465) or STARTTLS; the evidence goes with it as a drawing."""

from __future__ import annotations

import smtplib
import socket
import ssl
from email.message import EmailMessage

from kahriz_alarms.delivery import DeliveryError
from kahriz_alarms.people import Person
from kahriz_alarms.personal import Health, Incoming, Message

TIMEOUT_S = 30.0


class EmailChannel:
    """`tls`: "tls" from the first byte, "starttls", or "none" for a server on this machine."""

    name = "email"

    def __init__(
        self,
        host: str,
        port: int,
        sender: str,
        tls: str = "starttls",
        login: tuple[str, str] | None = None,
        context: ssl.SSLContext | None = None,
        site: str = "kahriz",
    ) -> None:
        self._host, self._port, self._sender = host, port, sender
        self._tls, self._login, self._site = tls, login, site
        self._context = context or ssl.create_default_context()
        self._health = Health(True)

    def send(self, message: Message, to: Person) -> None:
        if to.email is None:
            raise DeliveryError(f"{to.id} has no e-mail address", permanent=True)
        try:
            with self._connect() as server:
                server.send_message(self._mail(message, to.email))
        except smtplib.SMTPAuthenticationError as error:
            raise self._bad(f"{self._host} refuses the password", True) from error
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise self._bad(f"refused: {to.email}", min(codes) >= 500) from error
        except smtplib.SMTPResponseException as error:
            text = f"{self._host} answered {error.smtp_code}"
            raise self._bad(text, error.smtp_code >= 500) from error
        except (OSError, smtplib.SMTPException) as error:
            unsure = not isinstance(error, ConnectionRefusedError | socket.gaierror | ssl.SSLError)
            raise self._bad(f"{self._host}: {error}", False, unsure) from error
        self._health = Health(True)

    def health(self) -> Health:
        return self._health

    def receive(self) -> list[Incoming]:
        return []

    def done(self, incoming: Incoming) -> None:
        """Nothing comes in by this way."""

    def _connect(self) -> smtplib.SMTP:
        if self._tls == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, self._port, timeout=TIMEOUT_S, context=self._context
            )
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=TIMEOUT_S)
            if self._tls == "starttls":
                server.starttls(context=self._context)
        if self._login is not None:
            server.login(*self._login)
        return server

    def _mail(self, message: Message, to: str) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"] = self._sender, to
        mail["Subject"] = message.subject or message.first.splitlines()[0]
        mail["Message-ID"] = f"<{self._site}-{message.id}@kahriz>"  # a repeat has the same
        mail.set_content("\n\n".join(t for t in (message.first, message.more, message.links) if t))
        if message.chart_svg is not None:
            mail.add_attachment(message.chart_svg, "image", "svg+xml", filename="chart.svg")
        return mail

    def _bad(self, text: str, permanent: bool, unsure: bool = False) -> DeliveryError:
        self._health = Health(False, text)
        return DeliveryError(text, permanent, unsure)
