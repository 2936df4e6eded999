"""What the tests in Python share: where the built programs are, certificates, and one closing line like Check's, which
./dev test counts. Without aiosmtpd (it is no part of a packager's machine) a test is skipped."""
import os
import subprocess
import sys
import tempfile
import unittest

BUILD = os.environ.get("BUILD_DIR", os.getcwd())
SKIP = 77
NAMES = ["localhost", "127.0.0.1"]


def program(name):
    return os.path.join(BUILD, "tests", "unit", name)


class Certificates:
    """An authority of its own, a certificate for localhost, and one that another authority made."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="stint-tls-")
        for authority in ("ours", "theirs"):
            self.openssl("req", "-x509", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                         "-subj", f"/CN={authority}", "-keyout", self.at(f"{authority}.key"), "-out", self.at(f"{authority}.crt"))
        self.make("good", "ours", "DNS:localhost,IP:127.0.0.1")
        self.make("other_name", "ours", "DNS:mail.example.org")
        self.make("other_authority", "theirs", "DNS:localhost,IP:127.0.0.1")

    def at(self, name):
        return os.path.join(self.folder.name, name)

    @staticmethod
    def openssl(*args):
        subprocess.run(["openssl", *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def make(self, name, authority, names):
        with open(self.at("ext"), "w", encoding="ascii") as ext:
            ext.write(f"subjectAltName={names}\n")
        self.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                     "-keyout", self.at(f"{name}.key"), "-out", self.at(f"{name}.csr"))
        self.openssl("x509", "-req", "-in", self.at(f"{name}.csr"), "-CA", self.at(f"{authority}.crt"), "-CAkey", self.at(f"{authority}.key"),
                     "-CAcreateserial", "-days", "2", "-extfile", self.at("ext"), "-out", self.at(f"{name}.crt"))


def main():
    result = unittest.TextTestRunner(verbosity=1).run(unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"]))
    bad, broken = len(result.failures), len(result.errors)
    share = 100 * (result.testsRun - bad - broken) // max(result.testsRun, 1)
    print(f"{share}%: Checks: {result.testsRun}, Failures: {bad}, Errors: {broken}")
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)
