"""A mail server (aiosmtpd) that keeps what it takes in a folder, as Python's own library reads it: N.json for mail N.

It refuses addresses that begin with `refused`, and those that begin with `later` once. With a certificate it asks for
STARTTLS, and for a login. It prints its port when it listens.
"""

import argparse
import asyncio
import email
import email.policy
import itertools
import json
import os
import ssl
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Keeper:
    def __init__(self, folder):
        self.folder = folder
        self.numbers = itertools.count(1 + len(list(folder.glob("*.json"))))
        self.deferred = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused"):
            return "550 5.1.1 there is nobody of this name"
        if address.startswith("later") and address not in self.deferred:
            self.deferred.add(address)
            return "451 4.7.1 come back in a moment"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = {part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()}
        kept = {
            "recipients": envelope.rcpt_tos,
            "encrypted": session.ssl is not None,
            "login": session.authenticated,
            "headers": {name.lower(): value for name, value in mail.items()},
            "defects": [str(defect) for part in mail.walk() for defect in part.defects],
            "text": parts.get("text/plain"),
            "html": parts.get("text/html"),
            "calendar": parts.get("text/calendar"),
        }
        unready = self.folder / "unready"
        unready.write_text(json.dumps(kept))
        os.replace(unready, self.folder / f"{next(self.numbers)}.json")
        return "250 taken"


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--certificate", help="PEM file with the key and the certificate")
    parser.add_argument("--login", help="NAME:PASSWORD")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    keeper = Keeper(args.folder)
    options = {}
    if args.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(args.certificate)
        options |= {"tls_context": context, "require_starttls": True}
    if args.login:

        def check(server, session, envelope, mechanism, data):
            fits = isinstance(data, LoginPassword) and b":".join([data.login, data.password]).decode() == args.login
            return AuthResult(success=fits, handled=False)

        options |= {"authenticator": check, "auth_required": True}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(keeper, loop=loop, **options), "127.0.0.1", args.port)
    print("port", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
