#!/usr/bin/python3 -B
"""Outgoing HTTPS: whose certificates are believed."""
import base64
import http.server
import json
import os
import ssl
import subprocess
import threading
import unittest
import warnings

import pycheck


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(302 if self.path.startswith("/to?") else 200)
        if self.path.startswith("/to?"):
            self.send_header("Location", self.path[4:])
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *args):
        pass


class Https(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.certificates = pycheck.Certificates()

    def server(self, certificate=None, most=None):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
        if certificate:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(self.certificates.at(f"{certificate}.crt"), self.certificates.at(f"{certificate}.key"))
            if most:
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = context.maximum_version = most
                context.set_ciphers("ALL:@SECLEVEL=0")
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server.server_address[1]

    def fetch(self, url, ca="ours"):
        environment = {"PATH": os.environ["PATH"], "STINT_SECRET_KEY": base64.b64encode(os.urandom(40)).decode(),
                       "STINT_OUTGOING_ALLOW": "127.0.0.0/8 ::1", "STINT_OUTGOING_CA_FILE": self.certificates.at(f"{ca}.crt") if ca else ""}
        environment |= {name: os.environ[name] for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS") if name in os.environ}
        done = subprocess.run([pycheck.program("net-call"), "fetch", url], env=environment, capture_output=True, timeout=60, check=True)
        return json.loads(done.stdout)

    def test_a_proven_server_answers(self):
        port = self.server("good")
        for host in ("localhost", "127.0.0.1"):
            answer = self.fetch(f"https://{host}:{port}/")
            self.assertEqual((answer["error"], answer["status"], answer["body"]), ("ok", 200, "hello"))

    def test_any_other_does_not(self):
        for certificate, ca in (("other_name", "ours"), ("other_authority", "ours"), ("good", "theirs"), ("good", "")):
            answer = self.fetch(f"https://localhost:{self.server(certificate)}/", ca)
            self.assertEqual((answer["error"], answer["status"], answer["body"]), ("tls", 0, ""), certificate)

    def test_old_tls_and_no_tls(self):
        self.assertEqual(self.fetch(f"https://localhost:{self.server('good', ssl.TLSVersion.TLSv1_1)}/")["error"], "tls")
        self.assertEqual(self.fetch(f"https://localhost:{self.server('good', ssl.TLSVersion.TLSv1_2)}/")["error"], "ok")
        self.assertEqual(self.fetch(f"https://localhost:{self.server()}/")["error"], "tls")

    def test_a_redirect_never_leaves_tls(self):
        safe, plain = self.server("good"), self.server()
        self.assertEqual(self.fetch(f"https://localhost:{safe}/to?http://localhost:{plain}/")["error"], "redirected")
        self.assertEqual(self.fetch(f"http://localhost:{plain}/to?https://localhost:{safe}/")["error"], "ok")


if __name__ == "__main__":
    pycheck.main()
