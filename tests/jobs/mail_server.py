#!/usr/bin/python3 -B
"""A real SMTP server (aiosmtpd) for the tests of mail jobs: STARTTLS and a password are required; what it answers to a message
is told on its standard input, line by line, the last line for good; what it took is a JSON line on its standard output."""
import json
import logging
import ssl
import sys
import threading
import time
import warnings

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

warnings.simplefilter("ignore", DeprecationWarning)
logging.disable()
answers = ["250 OK taken"]


class Handler:
    async def handle_DATA(self, server, session, envelope):
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        say(answer=answer, to=envelope.rcpt_tos, sender=envelope.mail_from, tls=session.ssl is not None,
            user=session.auth_data.decode() if session.auth_data else None, text=envelope.original_content.decode())
        return answer


def say(**what):
    print(json.dumps(what), flush=True)


def password(server, session, envelope, mechanism, data):
    good = (data.login, data.password) == (b"stint", b"canary-smtp-password")
    return AuthResult(success=good, auth_data=data.login, handled=False)


class Door(Controller):
    def factory(self):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(sys.argv[1], sys.argv[2])
        return SMTP(self.handler, hostname="localhost", tls_context=tls, require_starttls=True, authenticator=password,
                    auth_required=True)


door = Door(Handler(), hostname="127.0.0.1", port=int(sys.argv[3]))
door.start()
say(ready=True)
for line in sys.stdin:
    answers[:] = json.loads(line)
    say(told=True)
door.stop()
