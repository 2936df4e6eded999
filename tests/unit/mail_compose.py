#!/usr/bin/python3 -B
"""Mails as bytes, read by Python's email package: what a client will see, and that no value can add anything."""
import email
import email.header
import email.policy
import email.utils
import html.parser
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import pycheck

TEMPLATES = os.path.join(os.environ.get("srcdir", os.path.join(os.path.dirname(__file__), "..", "..")), "templates")
LINK = "https://time.example.org/verify?token=Ab-_9&x=%3D"
LETTER = {"template": "mail/verify", "to": "ada@example.org", "from": "Stint <stint@example.org>", "public_url": "https://time.example.org:8443/x",
          "id": "018f6f1e-0000-7000-8000-000000000001", "doc": {"name": "Ada", "link": LINK, "hours": 72}}
NASTY = ["a\r\nBcc: evil@example.org", "a\nBcc: evil@example.org", "a\rBcc: evil@example.org", "\r\n\r\n<script>", "a\x0b\x0cBcc: x", "a\r\n .\r\n.\r\n",
         "=?UTF-8?Q?a=0D=0ABcc:_evil@example.org?=", "=?utf-8?b?YQ0KQmNjOiBl?=", "\"; boundary=x", "a\\\"b", "ä\r\nBcc: evil@example.org",
         "--=_018f6f1e-0000-7000-8000-000000000001--", "a\u2028Bcc: x", "x" * 5000, "ü" * 3000, "時" * 500, "🙂" * 300, "(comment) <a@b>, c@d",
         "one " * 300, "<b>bold</b> & \"quoted\"", "trailing   ", "=_", "{{link}}", "{link}"]


def tidy(text):
    """What a value says once every control character is a blank: as one line."""
    return re.sub(r"[\x00-\x20\x7f]+", " ", text).strip(" ")


def display_name(data, header):
    """By the package's older reader: the newer one keeps the blanks between encoded words of a name."""
    name, _ = email.utils.parseaddr(email.message_from_bytes(data)[header].replace("\r\n", ""))
    return str(email.header.make_header(email.header.decode_header(name)))


class Reader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.text, self.links = [], "", []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href"]

    def handle_data(self, data):
        self.text += data


class Base(unittest.TestCase):
    def run_tool(self, argument, stdin):
        return subprocess.run([pycheck.program("mail-compose"), argument], input=stdin.encode(), capture_output=True, timeout=60, check=False)

    def compose(self, templates=TEMPLATES, **changes):
        done = self.run_tool(templates, json.dumps(LETTER | changes))
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout

    def refused(self, **changes):
        done = self.run_tool(TEMPLATES, json.dumps(LETTER | changes))
        self.assertEqual((done.returncode, done.stdout), (1, b""), changes)
        return done.stderr.decode()

    def read(self, data):
        """Parses, and holds every mail to what RFC 5322 and 2045 ask of all."""
        for line in data.split(b"\r\n"):
            self.assertLessEqual(len(line), 998)
            self.assertNotIn(b"\n", line)
            self.assertNotIn(b"\r", line)
            self.assertRegex(line, rb"^[\x09\x20-\x7e]*$")
        self.assertTrue(data.endswith(b"--\r\n"))
        mail = email.message_from_bytes(data, policy=email.policy.default)
        parts = list(mail.walk())
        for part in parts:
            self.assertEqual(part.defects, [])
            for name, value in part.items():
                self.assertEqual(value.defects, (), f"{name}: {value}")
        self.assertEqual([part.get_content_type() for part in parts], ["multipart/alternative", "text/plain", "text/html"])
        self.assertEqual({part.get_content_charset() for part in parts[1:]}, {"utf-8"})
        return mail

    def parts(self, mail):
        _, text, markup = mail.walk()
        reader = Reader()
        reader.feed(markup.get_content())
        return text.get_content().replace("\r\n", "\n") + "\n", reader

    def expect_headers(self, mail, *more):
        self.assertEqual([name for name in mail], ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", *more, "MIME-Version", "Content-Type"])


class Whole(Base):
    def test_a_plain_mail(self):
        mail = self.read(self.compose())
        self.expect_headers(mail)
        self.assertEqual(mail["From"], "Stint <stint@example.org>")
        self.assertEqual(mail["To"], "ada@example.org")
        self.assertEqual(mail["Subject"], "Confirm your email for Stint")
        self.assertEqual(mail["Date"], "Sun, 01 Mar 2026 11:59:59 +0000")
        self.assertEqual(mail["Date"].datetime.timestamp(), 1772366399)
        self.assertEqual(mail["Message-ID"], "<018f6f1e-0000-7000-8000-000000000001@time.example.org>")
        self.assertEqual(mail["Auto-Submitted"], "auto-generated")
        text, page = self.parts(mail)
        self.assertEqual(text, "Hello Ada,\n\nconfirm that this email address is yours, and your Stint account is\nready.\n\n"
                         f"Confirm email:\n{LINK}\n\nThe link works for 72 hours. If you did not ask for an account, ignore\nthis mail and nothing happens.\n\n"
                         "--\nYou get this mail because somebody gave this address to create a Stint\naccount.\n\nhttps://time.example.org:8443/x\n")
        # The same said in HTML; the button's address stands as plain text too.
        self.assertEqual(page.links, [LINK, LINK, "https://time.example.org:8443/x"])
        for words in ("Hello Ada,", "Confirm email", LINK, "The link works for 72 hours.", "You get this mail because"):
            self.assertIn(words, page.text)
        self.assertIn("<title>Confirm your email for Stint</title>", mail.get_body(("html",)).get_content())

    def test_html_brings_all_and_fetches_nothing(self):
        markup = self.read(self.compose(unsubscribe_url="https://e.org/u")).get_body(("html",)).get_content()
        for word in ("<img", "<link", "<script", "<iframe", "url(", "@import", "src="):
            self.assertNotIn(word, markup)
        self.assertIn("prefers-color-scheme: dark", markup)
        self.assertIn('name="color-scheme" content="light dark"', markup)

    def test_the_mails_about_accounts(self):
        for name in ("verify", "reset", "exists"):
            mail = self.read(self.compose(template=f"mail/{name}"))
            self.assertTrue(mail["Subject"])
            text, page = self.parts(mail)
            self.assertIn("Hello Ada,", text)
            self.assertIn(f"\n{LINK}\n", text)
            self.assertEqual(page.links.count(LINK), 2)

    def test_optional_headers(self):
        url = "https://time.example.org/unsubscribe?token=" + "a" * 200
        mail = self.read(self.compose(from_name="Köhler & Söhne", reply_to="boss@example.org", to_name="Ada \"the\" Lovelace, Dr.", unsubscribe_url=url))
        self.assertEqual([name for name in mail], ["From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Auto-Submitted", "List-Unsubscribe",
                                                   "List-Unsubscribe-Post", "MIME-Version", "Content-Type"])
        sender, to = mail["From"].addresses, mail["To"].addresses
        self.assertEqual([(a.display_name, a.addr_spec) for a in sender], [("Köhler & Söhne", "stint@example.org")])
        self.assertEqual([(a.display_name, a.addr_spec) for a in to], [("Ada \"the\" Lovelace, Dr.", "ada@example.org")])
        self.assertEqual(mail["Reply-To"], "boss@example.org")
        self.assertEqual(mail["List-Unsubscribe"].strip(), f"<{url}>")
        self.assertEqual(mail["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click")
        text, page = self.parts(mail)
        self.assertIn(f"Unsubscribe from these mails:\n{url}\n", text)
        self.assertIn(url, page.links)
        self.assertIn("Köhler & Söhne", page.text)

    def test_ways_to_write_the_sender(self):
        for written, name, address in (("a@b.org", "", "a@b.org"), ("<a@b.org>", "", "a@b.org"), ("\"Stint, Inc.\" <a@b.org>", "Stint, Inc.", "a@b.org"),
                                       ("Zeit für alle <a@b.org>", "Zeit für alle", "a@b.org")):
            found = self.read(self.compose(**{"from": written}))["From"].addresses[0]
            self.assertEqual((found.display_name, found.addr_spec), (name, address))


class Values(Base):
    def test_no_value_adds_anything(self):
        for value in NASTY:
            data = self.compose(doc=LETTER["doc"] | {"name": value}, to_name=value, from_name=value)
            mail = self.read(data)
            self.expect_headers(mail)
            self.assertEqual(len(mail["To"].addresses), 1)
            self.assertEqual(mail["To"].addresses[0].addr_spec, "ada@example.org")
            self.assertEqual(mail["From"].addresses[0].addr_spec, "stint@example.org")
            self.assertEqual(tidy(display_name(data, "To")), tidy(value))
            text, page = self.parts(mail)
            said = tidy(f"Hello {value},")
            self.assertEqual(tidy(text)[:len(said)], said)
            self.assertIn(said, tidy(page.text))
            self.assertEqual(sorted(set(page.tags)), ["a", "body", "br", "head", "html", "meta", "p", "style", "table", "td", "title", "tr"])
            self.assertEqual(len(page.links), 3)

    def test_no_subject_adds_anything(self):
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(os.path.join(folder, "mail"))
            shutil.copy(os.path.join(TEMPLATES, "mail", "layout.html"), os.path.join(folder, "mail"))
            with open(os.path.join(folder, "mail", "subject.html"), "w", encoding="utf-8") as f:
                f.write('{{<mail/layout}}{{$subject}}{{"{name} invites you" | t}}{{/subject}}{{$body}}<p>x</p>{{/body}}{{/mail/layout}}')
            for value in NASTY:
                mail = self.read(self.compose(folder, template="mail/subject", doc={"name": value}))
                self.expect_headers(mail)
                self.assertEqual(tidy(mail["Subject"]), tidy(value + " invites you"))

    def test_what_is_no_address_is_refused(self):
        bad = ["", "a", "a@", "@b", "a@b@c", "a b@c", "a@b\r\nBcc: c@d", "a@b,c@d", "<a@b>", "a@b>", "\"a\"@b", "a;b@c", "a@b\0", "a@b\x7f", "x" * 400 + "@b"]
        for address in bad:
            if "\0" not in address:
                self.assertIn("recipient", self.refused(to=address))
                self.assertIn("reply_to", self.refused(reply_to=address))
                self.assertIn("mail_from", self.refused(**{"from": f"Name <{address}>"}))
        for url in ("https://e.org/a b", "https://e.org/>\r\nBcc: c@d", "https://e.org/ü", "", "https://e.org/" + "a" * 1000):
            self.assertIn("unsubscribe_url", self.refused(unsubscribe_url=url))
        for mail_id in ("", "a b", "a\r\nb", "a>b", "a@b", "a\"b", "x" * 61):
            self.assertIn("id", self.refused(id=mail_id))
        self.assertIn("name", self.refused(doc={}))  # a template's name that is not there

    def test_hosts_of_the_message_id(self):
        for url, host in (("https://a.example", "a.example"), ("http://localhost:8080", "localhost"), ("https://a.b/c?d", "a.b"),
                          ("http://[::1]:8080", "localhost"), ("nonsense", "nonsense"), ("https://ü.example", "localhost")):
            self.assertTrue(self.read(self.compose(public_url=url, id="job.7"))["Message-ID"].startswith(f"<job.7@{host}>"), url)

    def test_an_address_beyond_ascii_stays_itself(self):
        data = self.compose(to="jürgen@bücher.example")
        self.assertIn("To: jürgen@bücher.example\r\n".encode(), data)


class Text(Base):
    def said(self, markup):
        done = self.run_tool("--text", markup)
        self.assertEqual(done.returncode, 0)
        return done.stdout.decode()

    def test_markup_is_read_aloud(self):
        for markup, text in (
                ("", ""), ("<p>a</p>", "a\n"), ("<p>a\n b</p>\n<p> c </p>", "a b\n\nc\n"), ("<p>a<br>b</p>", "a\nb\n"),
                ("<p>a <b>b</b>c</p>", "a bc\n"), ("<p>&lt;p&gt; &amp;amp; &quot;&#39;</p>", "<p> &amp; \"'\n"),
                ("<p>x</p><ul><li>a</li><li>b c</li></ul><p>y</p>", "x\n\n- a\n- b c\n\ny\n"), ("<ol><li>a</li><li>b</li></ol>", "1. a\n2. b\n"),
                ("<ul><li>" + "word " * 20 + "</li></ul>", "- " + "word " * 13 + "word\n  " + "word " * 5 + "word\n"),
                ("<p><a href=\"https://e.org/?a=1&amp;b=2\">Open</a></p>", "Open:\nhttps://e.org/?a=1&b=2\n"),
                ("<p>See <a href=\"https://e.org\">the page</a>, please.</p>", "See the page <https://e.org>, please.\n"),
                ("<p><a href=\"https://e.org\">https://e.org</a></p>", "https://e.org\n"),
                ("<table><tr><th>Total</th><td>1:30</td></tr><tr><td>a</td><td>b</td><td>c</td></tr></table><p>z</p>", "Total: 1:30\na, b, c\n\nz\n"),
                ("<p>a</p><hr><p>b</p>", "a\n\n--\nb\n"), ("<p>" + "x" * 200 + " y</p>", "x" * 200 + "\ny\n"),
                ("<p>" + "ü" * 40 + " " + "ü" * 31 + " z</p>", "ü" * 40 + " " + "ü" * 31 + "\nz\n"), ("<p>a<unknown>b</p>", "ab\n"), ("a < b", "a\n")):
            self.assertEqual(self.said(markup), text, markup)


if __name__ == "__main__":
    pycheck.main()
