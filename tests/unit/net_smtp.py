#!/usr/bin/python3 -B
"""Mail to a real SMTP server (aiosmtpd): TLS, passwords, each kind of no, and the bytes that arrive."""
import base64
import json
import logging
import os
import socket
import ssl
import subprocess
import threading
import unittest
import warnings

import pycheck

try:
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import SMTP, AuthResult
except ImportError:
    raise SystemExit(pycheck.SKIP)

warnings.simplefilter("ignore", DeprecationWarning)
logging.disable()  # what the server says about itself
USER, PASSWORD = "stint@example.org", "canary-smtp-pässword"
MESSAGE = b"From: a@example.org\r\nTo: b@example.org\r\nSubject: Hi\r\n\r\nHello\r\n.\r\n..two\r\n.end\r\nlast\r\n"


class Handler:
    """Says no when an address says so: 550@… and 451@… as recipients or sender; bytes of the message are kept."""

    def __init__(self):
        self.mails = []
        self.logins = []
        self.answer = "250 OK taken"
        self.delay = 0

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        self.hello = hostname
        return responses

    def code_of(self, address):
        code = address.split("@")[0]
        return f"{code} 5.1.1 no\tsuch user" if code.isdigit() else None

    async def handle_MAIL(self, server, session, envelope, address, options):
        refusal = self.code_of(address)
        if not refusal:
            envelope.mail_from = address
        return refusal or "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        refusal = self.code_of(address)
        if not refusal:
            envelope.rcpt_tos.append(address)
        return refusal or "250 OK"

    async def handle_DATA(self, server, session, envelope):
        import asyncio
        if self.delay:
            await asyncio.sleep(self.delay)
        if self.answer.startswith("250"):
            self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.original_content,
                               server.transport.get_extra_info("sslcontext") is not None,
                               session.auth_data))
        return self.answer

    def authenticate(self, server, session, envelope, mechanism, data):
        self.logins.append((mechanism, session.ssl is not None))
        good = data.login.decode() == USER and data.password.decode() == PASSWORD
        return AuthResult(success=good, auth_data=data.login if good else None, handled=not good and False)


class Door(Controller):
    def __init__(self, handler, tls=None, at_once=False, **more):
        self.tls, self.more = tls, more
        super().__init__(handler, hostname="127.0.0.1", port=free_port(), ssl_context=tls if at_once else None)

    def factory(self):
        starttls = self.tls if self.ssl_context is None else None
        return SMTP(self.handler, hostname="door.test", tls_context=starttls, authenticator=self.handler.authenticate,
                    enable_SMTPUTF8=True, **self.more)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Rude:
    """A server that follows a script: what it says to the first, second … command; None cuts the line."""

    def __init__(self, lines, cut_in_data=False):
        self.lines, self.cut_in_data = lines, cut_in_data
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        try:
            peer, _ = self.listener.accept()
            peer.sendall(self.lines[0])
            reader = peer.makefile("rb")
            for line in self.lines[1:]:
                if self.lines[0]:
                    reader.readline()
                if line is None:
                    break
                peer.sendall(line)
            if self.cut_in_data and None not in self.lines:
                reader.readline()
            if self.cut_in_data:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            reader.close()
            peer.close()
        except OSError:
            pass


class Base(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.certificates = pycheck.Certificates()

    def tls(self, name="good"):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificates.at(f"{name}.crt"), self.certificates.at(f"{name}.key"))
        return context

    def door(self, handler=None, **options):
        door = Door(handler or Handler(), **options)
        door.start()
        self.addCleanup(door.stop)
        return door

    def call(self, *args, stdin=b"", host="localhost", port=0, scheme="smtp", ca="ours", **options):
        environment = {"PATH": os.environ["PATH"], "STINT_SECRET_KEY": base64.b64encode(os.urandom(40)).decode(),
                       "STINT_SMTP_URL": f"{scheme}://{host}:{port}", "STINT_PUBLIC_URL": "https://time.example.org/x",
                       "STINT_SMTP_CA_FILE": self.certificates.at(f"{ca}.crt") if ca else ""}
        environment |= {f"STINT_{name.upper()}": value for name, value in options.items()}
        environment |= {name: os.environ[name] for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS") if name in os.environ}
        done = subprocess.run([pycheck.program("net-call"), *args], input=stdin, env=environment, capture_output=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        for canary in (PASSWORD.encode(), base64.b64encode(PASSWORD.encode())):
            self.assertNotIn(canary, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def send(self, *to, sender="a@example.org", message=MESSAGE, **options):
        return self.call("smtp", sender, *(to or ("b@example.org",)), stdin=message, **options)


class Sending(Base):
    def test_starttls_and_the_very_bytes(self):
        door = self.door(tls=self.tls(), require_starttls=True)
        result = self.send(port=door.port)
        self.assertEqual((result["outcome"], result["error"], result["why"], result["code"]), ("sent", "ok", "", 250))
        self.assertEqual(result["to"], [["sent", 250, ""]])
        sender, to, content, safe, _ = door.handler.mails[0]
        self.assertEqual((sender, to, safe), ("a@example.org", ["b@example.org"], True))
        self.assertEqual(content, MESSAGE)  # lines that begin with dots too
        self.assertEqual(door.handler.hello, "time.example.org")

    def test_a_large_message_of_dots_arrives_whole(self):
        door = self.door(tls=self.tls(), data_size_limit=None)
        message = b"Subject: big\r\n\r\n" + b"".join(b"." * (i % 7) + b"line %d\r\n" % i for i in range(60000))
        self.assertEqual(self.send(port=door.port, message=message)["outcome"], "sent")
        self.assertEqual(door.handler.mails[0][2], message)

    def test_utf8_in_the_message_arrives(self):
        door = self.door(tls=self.tls())
        message = "Subject: Grüße\r\n\r\nŻółć 時間 🙂\r\n".encode()
        self.assertEqual(self.send(port=door.port, message=message)["outcome"], "sent")
        self.assertEqual(door.handler.mails[0][2], message)

    def test_tls_from_the_first_byte(self):
        door = self.door(tls=self.tls(), at_once=True)
        self.assertEqual(self.send(port=door.port, scheme="smtps")["outcome"], "sent")
        self.assertTrue(door.handler.mails[0][3])

    def test_an_empty_sender(self):
        door = self.door(tls=self.tls())
        self.assertEqual(self.send(port=door.port, sender="")["outcome"], "sent")
        self.assertEqual(door.handler.mails[0][0], "<>")  # as this server writes it


class Tls(Base):
    def test_starttls_is_required(self):
        door = self.door()
        result = self.send(port=door.port)
        self.assertEqual((result["outcome"], result["error"]), ("later", "tls"))
        self.assertEqual(door.handler.mails, [])

    def test_opportunistic_and_none(self):
        plain, safe = self.door(), self.door(tls=self.tls())
        self.assertEqual(self.send(port=plain.port, smtp_tls="opportunistic")["outcome"], "sent")
        self.assertEqual(self.send(port=safe.port, smtp_tls="opportunistic")["outcome"], "sent")
        self.assertEqual(self.send(port=plain.port, smtp_tls="none")["outcome"], "sent")
        self.assertEqual([mail[3] for mail in plain.handler.mails + safe.handler.mails], [False, False, True])

    def test_certificates_are_checked(self):
        for name in ("other_name", "other_authority"):
            for options in ({"scheme": "smtp"}, {"scheme": "smtps"}):
                door = self.door(tls=self.tls(name), at_once=options["scheme"] == "smtps")
                result = self.send(port=door.port, **options)
                self.assertEqual((result["outcome"], result["error"]), ("later", "tls"), name)
                self.assertEqual(door.handler.mails, [])
        door = self.door(tls=self.tls())
        self.assertEqual(self.send(port=door.port, ca="")["error"], "tls")  # the system does not know our authority


class Passwords(Base):
    login = {"smtp_user": USER, "smtp_password": PASSWORD}

    def test_plain_and_login(self):
        for mechanism, other in (("PLAIN", "LOGIN"), ("LOGIN", "PLAIN")):
            door = self.door(tls=self.tls(), auth_required=True, auth_exclude_mechanism=[other])
            self.assertEqual(self.send(port=door.port, **self.login)["outcome"], "sent")
            self.assertEqual(door.handler.logins, [(mechanism, True)])
            self.assertEqual(door.handler.mails[0][4], USER.encode())

    def test_a_wrong_password_waits_for_the_operator(self):
        door = self.door(tls=self.tls(), auth_required=True)
        for command in ("send", "probe"):
            result = (self.send if command == "send" else lambda **o: self.call("probe", **o))(
                port=door.port, smtp_user=USER, smtp_password="canary-wrong")
            self.assertEqual(result["error"], "auth")
            self.assertEqual(result.get("outcome", "later"), "later")
            self.assertIn("535", result["why"])
            self.assertNotIn("canary-wrong", json.dumps(result))

    def test_no_password_where_one_is_wanted(self):
        door = self.door(tls=self.tls(), auth_required=True)
        result = self.send(port=door.port)
        self.assertEqual((result["outcome"], result["error"], result["code"]), ("later", "answered", 530))

    def test_never_in_the_clear(self):
        door = self.door(auth_require_tls=False)
        self.assertEqual(self.send(port=door.port, **self.login)["error"], "tls")
        self.assertEqual(door.handler.logins, [])
        self.assertEqual(self.send(port=door.port, smtp_tls="none", **self.login)["outcome"], "sent")  # asked for by name

    def test_probe(self):
        door = self.door(tls=self.tls(), auth_required=True)
        self.assertEqual(self.call("probe", port=door.port, **self.login), {"error": "ok", "why": ""})
        self.assertEqual(door.handler.mails, [])
        self.assertEqual(self.call("probe", port=free_port())["error"], "connect")


class Refusals(Base):
    def test_each_recipient_has_an_outcome_of_its_own(self):
        door = self.door(tls=self.tls())
        result = self.send("b@example.org", "550@example.org", "451@example.org", "c@example.org", port=door.port)
        self.assertEqual((result["outcome"], result["error"]), ("later", "answered"))
        self.assertEqual(result["to"], [["sent", 250, ""], ["refused", 550, "5.1.1 no such user"], ["later", 451, "5.1.1 no such user"],
                                        ["sent", 250, ""]])
        self.assertEqual(door.handler.mails[0][1], ["b@example.org", "c@example.org"])
        result = self.send("550@example.org", port=door.port)
        self.assertEqual((result["outcome"], result["error"], result["code"]), ("refused", "answered", 550))
        self.assertIn("550 5.1.1 no such user", result["why"])
        self.assertEqual(self.send("450@example.org", port=door.port)["outcome"], "later")
        self.assertEqual(self.send("550@example.org", "450@example.org", port=door.port)["outcome"], "later")
        self.assertEqual(len(door.handler.mails), 1)

    def test_sender_and_message(self):
        door = self.door(tls=self.tls())
        for sender, outcome in (("550@example.org", "refused"), ("451@example.org", "later"), ("530@example.org", "later")):
            result = self.send("b@example.org", "c@example.org", sender=sender, port=door.port)
            self.assertEqual((result["outcome"], result["code"]), (outcome, int(sender[:3])))
            self.assertEqual([to[0] for to in result["to"]], [outcome] * 2)
        for answer, outcome in (("554 5.7.1 looks like spam", "refused"), ("452 4.3.1 disk full", "later")):
            door.handler.answer = answer
            result = self.send(port=door.port)
            self.assertEqual((result["outcome"], result["error"], result["code"]), (outcome, "answered", int(answer[:3])))
            self.assertIn(answer, result["why"])
            self.assertEqual(result["to"], [[outcome, int(answer[:3]), answer[4:]]])
        self.assertEqual(door.handler.mails, [])

    def test_away_slow_and_cut(self):
        self.assertEqual(self.send(port=free_port())["error"], "connect")
        self.assertEqual(self.send(host="nowhere.invalid", port=25)["outcome"], "later")
        door = self.door(tls=self.tls())
        door.handler.delay = 5
        result = self.send(port=door.port, smtp_timeout_s="1")
        self.assertEqual((result["outcome"], result["error"]), ("later", "timeout"))
        ok = b"250 ok\r\n"
        for script in ([b"220 hi\r\n", ok, ok, ok, b"354 go\r\n"],  # cut in the message
                       [b"220 hi\r\n", ok, ok, None], [b"220 hi\r\n", None], [b"", None]):
            result = self.send(port=Rude(script, cut_in_data=True).port, smtp_tls="none")
            self.assertEqual(result["outcome"], "later", script)
            self.assertIn(result["error"], ("broken", "answered", "connect"), script)
            self.assertTrue(result["why"])
            self.assertEqual(result["to"][0][:2], ["later", 0], script)

    def test_a_server_that_is_closed_is_no_fault_of_the_mail(self):
        for script in ([b"554 5.3.2 closed today\r\n", None], [b"220 hi\r\n", b"550 go away\r\n", b"550 go away\r\n"]):
            result = self.send(port=Rude(script).port, smtp_tls="none")
            self.assertEqual((result["outcome"], result["error"]), ("later", "answered"), script)

    def test_what_is_no_mail_is_not_sent(self):
        door = self.door(tls=self.tls())
        for message in (b"", b"Subject: x\n\nbare\n", b"Subject: x\r\n\r\nno end", b"Subject: x\r\n\r\na\n.\nMAIL FROM:<x>\r\n",
                        b"Subject: x\r\n\r\na\r.\rb\r\n", b"Subject: x\r\n\r\n\0\r\n"):
            result = self.send(port=door.port, message=message)
            self.assertEqual((result["outcome"], result["error"]), ("refused", "bad_request"), message)
        for address in ("b", "b@", "@c", "b@c>\r\nRCPT TO:<d@e", "b c@d", "<b@c>", "b@c\n"):
            self.assertEqual(self.send(address, port=door.port)["error"], "bad_request", address)
            self.assertEqual(self.send(sender=address, port=door.port)["error"], "bad_request", address)
        self.assertEqual(door.handler.mails, [])


if __name__ == "__main__":
    pycheck.main()
