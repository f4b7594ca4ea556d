#!/usr/bin/env python3
"""A learner's way through Passmuster, launched from a platform that is not ours, over plain HTTP.

    python lti_journey.py --tool http://127.0.0.1:7100 --harness-port 7200 --content ../../content

Starts the platform of `lti_platform.py` on the given port, launches a learner into a course, fails
a quiz and then passes every module by the forms on the pages, signs the attestation, and holds
what the platform received against the specification. The tool must know the platform beforehand
(issuer http://127.0.0.1:PORT, client id `passmuster-peer`, deployment `1`, endpoints /auth, /token,
/jwks) and must be allowed to fetch from it.

Exit status 0 when everything held, 1 otherwise; every step is told on standard output.
"""

from __future__ import annotations

import argparse
import html
import http.client
import json
import re
import sys
import time
import tomllib
import unicodedata
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import lti_platform

MAX_STEPS = 100


class Failed(Exception):
    """The journey cannot go on, or something did not hold."""


def check(fine: object, text: str) -> None:
    if not fine:
        raise Failed(text)


def say(text: str) -> None:
    print(text, flush=True)


# ---- pages ------------------------------------------------------------------------------------


@dataclass
class Input:
    """A control that is posted."""

    name: str
    type: str
    value: str
    checked: bool = False
    label: str = ""


@dataclass
class Form:
    """A form as a browser would send it."""

    action: str
    method: str
    inputs: list[Input] = field(default_factory=list)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)  # name, value, text

    def named(self, name: str) -> list[Input]:
        return [i for i in self.inputs if i.name == name]


@dataclass
class Page:
    """What a reader of the HTML sees, as far as the journey needs it."""

    url: str
    status: int
    kind: str
    body: bytes
    css_class: str = ""
    title: str = ""
    heading: str = ""
    prompt: str = ""
    text: str = ""
    forms: list[Form] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)  # href, text
    names: list[str] = field(default_factory=list)  # what stands in <bdi>: names as the LMS gave them

    def form_with(self, field_name: str) -> Form | None:
        return next((f for f in self.forms if f.named(field_name)), None)

    def post_form(self) -> Form:
        forms = [f for f in self.forms if f.method == "post"]
        check(forms, f"no form to go on with on {self}")
        return forms[0]

    def find_link(self, pattern: str) -> str | None:
        """The first link whose address or text matches."""
        for href, text in self.links:
            if re.search(pattern, urllib.parse.urlsplit(href).path) or re.search(pattern, text, re.I):
                return href
        return None

    def __str__(self) -> str:
        return f"{urllib.parse.urlsplit(self.url).path} ({self.status}, “{self.heading or self.title}”)"


class Reader(HTMLParser):
    """Fills a page from its HTML."""

    def __init__(self, page: Page) -> None:
        super().__init__(convert_charrefs=True)
        self.page = page
        self.form: Form | None = None
        self.captures: list[tuple[str, int, list[str]]] = []  # what, depth, text
        self.depth = 0
        self.label_inputs: list[Input] = []
        self.link = ""
        self.button = ("", "")
        self.silent = 0

    VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        a = {name: value or "" for name, value in attrs}
        if tag not in self.VOID:
            self.depth += 1
        classes = a.get("class", "").split()
        match tag:
            case "body":
                self.page.css_class = a.get("class", "")
            case "script" | "style":
                self.silent += 1
            case "title" | "h1" | "label" | "bdi":
                self.capture(tag)
            case "form":
                action = urllib.parse.urljoin(self.page.url, a.get("action", ""))
                self.form = Form(action, a.get("method", "get").lower())
                self.page.forms.append(self.form)
            case "input" if self.form:
                control = Input(a.get("name", ""), a.get("type", "text").lower(), a.get("value", "on" if a.get("type") == "checkbox" else ""), "checked" in a)
                self.form.inputs.append(control)
                if any(what == "label" for what, _, _ in self.captures):
                    self.label_inputs.append(control)
            case "button":
                self.button = (a.get("name", ""), a.get("value", ""))
                if a.get("type", "submit") == "submit":
                    self.capture("button")
            case "a" if "href" in a:
                self.link = urllib.parse.urljoin(self.page.url, a["href"])
                self.capture("a")
        if "prompt" in classes and not self.page.prompt:
            self.capture("prompt")
        # Ornaments of an option are not its text: the key number beside it.
        if a.get("aria-hidden") == "true" and tag not in self.VOID:
            self.capture("hidden")

    def capture(self, what: str) -> None:
        self.captures.append((what, self.depth, []))

    def handle_endtag(self, tag: str) -> None:
        if tag in self.VOID:
            return
        if tag in ("script", "style"):
            self.silent -= 1
        while self.captures and self.captures[-1][1] >= self.depth:
            what, _, pieces = self.captures.pop()
            text = " ".join("".join(pieces).split())
            if what != "hidden":
                for _, _, outer in self.captures:
                    outer.append("".join(pieces))
            self.close(what, text)
        self.depth -= 1
        if tag == "form":
            self.form = None

    def close(self, what: str, text: str) -> None:
        match what:
            case "title":
                self.page.title = text
            case "h1":
                self.page.heading = self.page.heading or text
            case "prompt":
                self.page.prompt = text
            case "bdi":
                self.page.names.append(text)
            case "a":
                self.page.links.append((self.link, text))
            case "button" if self.form:
                self.form.buttons.append((*self.button, text))
            case "label":
                for control in self.label_inputs:
                    control.label = text
                self.label_inputs = []

    def handle_data(self, data: str) -> None:
        if self.silent:
            return
        if self.captures:
            self.captures[-1][2].append(data)
        self.page.text += data


# ---- browser ----------------------------------------------------------------------------------


class Browser:
    """Plain HTTP with a cookie jar that takes `Secure` cookies over loopback, as browsers do there."""

    def __init__(self, tool: str) -> None:
        self.tool = urllib.parse.urlsplit(tool).netloc
        self.jar: dict[tuple[str, str], tuple[str, str]] = {}  # (host and port, name) -> value, path

    def request(self, method: str, url: str, fields: list[tuple[str, str]] | None = None) -> Page:
        for _ in range(10):
            parts = urllib.parse.urlsplit(url)
            check(parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost"), f"led away from this machine, to {parts.netloc}")
            headers = {"User-Agent": "passmuster-test-journey", "Accept": "text/html,*/*;q=0.8"}
            cookies = [f"{n}={v}" for (host, n), (v, path) in self.jar.items() if host == parts.netloc and parts.path.startswith(path)]
            if cookies:
                headers["Cookie"] = "; ".join(cookies)
            body = None
            if fields is not None:
                body = urllib.parse.urlencode(fields)
                headers["Content-Type"] = "application/x-www-form-urlencoded"
                headers["Origin"] = f"{parts.scheme}://{parts.netloc}"
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
            try:
                target = parts.path or "/"
                connection.request(method, f"{target}?{parts.query}" if parts.query else target, body, headers)
                response = connection.getresponse()
                data = response.read()
            finally:
                connection.close()
            self.keep_cookies(parts.netloc, response)
            location = response.getheader("Location")
            if response.status in (301, 302, 303, 307, 308) and location:
                url = urllib.parse.urljoin(url, location)
                if response.status not in (307, 308):
                    method, fields = "GET", None
                continue
            kind = response.getheader("Content-Type", "")
            page = Page(url, response.status, kind, data)
            if "html" in kind:
                reader = Reader(page)
                reader.feed(data.decode("utf-8"))
            return page
        raise Failed(f"redirected without end at {urllib.parse.urlsplit(url).path}")

    def keep_cookies(self, host: str, response: http.client.HTTPResponse) -> None:
        for line in response.headers.get_all("Set-Cookie") or []:
            first, *attributes = [part.strip() for part in line.split(";")]
            name, _, value = first.partition("=")
            options = {a.partition("=")[0].lower(): a.partition("=")[2] for a in attributes}
            gone = options.get("max-age") == "0" or not value
            if host == self.tool and not gone:
                for needed in ("secure", "httponly", "partitioned"):
                    check(needed in options, f"cookie {name} without {needed}: it is lost or exposed in a frame")
                check(options.get("samesite", "").lower() == "none", f"cookie {name} is not SameSite=None: it is lost in a frame")
            if gone:
                self.jar.pop((host, name), None)
            else:
                self.jar[(host, name)] = (value, options.get("path", "/"))

    def get(self, url: str) -> Page:
        return self.fine(self.request("GET", url))

    def submit(self, form: Form, chosen: dict[str, list[str]] | None = None, button: tuple[str, str] | None = None) -> Page:
        """Sends a form. `chosen` names what is ticked or typed instead of what the page came with."""
        chosen = chosen or {}
        fields = []
        for control in form.inputs:
            if not control.name or control.type in ("submit", "button"):
                continue
            if control.type in ("checkbox", "radio"):
                on = control.value in chosen[control.name] if control.name in chosen else control.checked
                if on:
                    fields.append((control.name, control.value))
            else:
                fields.append((control.name, chosen.get(control.name, [control.value])[0]))
        if button and button[0]:
            fields.append(button)
        if form.method == "post":
            return self.fine(self.request("POST", form.action, fields))
        return self.fine(self.request("GET", form.action.partition("?")[0] + "?" + urllib.parse.urlencode(fields)))

    def fine(self, page: Page) -> Page:
        if page.status >= 400:
            words = " ".join(page.text.split())
            raise Failed(f"{page} says: {words[:600]}")
        return page


# ---- answers ----------------------------------------------------------------------------------


def plain(text: str) -> str:
    """What is left of a text when mark-up, spaces and typographic niceties are taken away from it."""
    text = re.sub(r"\[([^\]]*)\]\([^)\s]*\)", r"\1", text)  # Markdown links
    text = unicodedata.normalize("NFKC", text)
    for fancy, simple in (("“", '"'), ("”", '"'), ("‘", "'"), ("’", "'"), ("–", "-"), ("—", "-"), ("…", "...")):
        text = text.replace(fancy, simple)
    text = re.sub(r"-{2,}", "-", text)
    return re.sub(r"[\s`*_\\]", "", text)


class Answers:
    """The banks' keys, found again by the texts of prompt and options."""

    def __init__(self, content: Path, course: str) -> None:
        self.known: dict[frozenset[str], list[tuple[str, set[str]]]] = {}
        self.rationales: set[str] = set()
        banks = sorted((content / "courses" / course).glob("*/quiz.toml"))
        check(banks, f"no quiz.toml under {content / 'courses' / course}")
        for bank in banks:
            for question in tomllib.loads(bank.read_text(encoding="utf-8")).get("question", []):
                options = {plain(o["text"]): bool(o["correct"]) for o in question["options"]}
                right = {text for text, correct in options.items() if correct}
                self.known.setdefault(frozenset(options), []).append((plain(question["prompt"]), right))
                self.rationales.update(plain(o["rationale"]) for o in question["options"])

    def right(self, prompt: str, options: list[Input]) -> list[str]:
        """The values of the options that are right."""
        texts = {plain(option.label): option.value for option in options}
        found = self.known.get(frozenset(texts), [])
        if len(found) > 1:
            found = [entry for entry in found if entry[0] == plain(prompt)]
        check(found, f"a question that is in no bank: “{prompt}” with {[o.label for o in options]}")
        return [texts[text] for text in sorted(found[0][1])]

    def check_no_leak(self, page: Page) -> None:
        """An open attempt must say nothing about its key: no rationale, no word of right or wrong on a control."""
        markup = page.body.decode()
        shown = plain(re.sub(r"<[^>]*>", "", html.unescape(markup)))
        check(not any(rationale in shown for rationale in self.rationales), f"{page} gives a rationale away")
        controls = re.findall(r"<(?:input|label|option)\b[^>]*>", markup)
        check(not any(re.search(r"correct|right|wrong|key=", c) for c in controls), f"{page} marks its options: {controls}")

    def wrong(self, prompt: str, options: list[Input]) -> list[str]:
        """One answer that is not right."""
        right = self.right(prompt, options)
        return [next((o.value for o in options if o.value not in right), options[0].value)][:1]


Chooser = Callable[[str, list[Input]], list[str]]


# ---- the journey ------------------------------------------------------------------------------


class Journey:
    """One learner in one course."""

    def __init__(self, browser: Browser, platform: lti_platform.Platform, answers: Answers, user: str) -> None:
        self.browser, self.platform, self.answers = browser, platform, answers
        self.user = lti_platform.USERS[user]

    def launch(self, course: str, module: str | None) -> Page:
        query = {"user": self.user.id, "course": course, **({"module": module} if module else {})}
        page = self.browser.get(f"{self.platform.state.base}/harness/launch?{urllib.parse.urlencode(query)}")
        for _ in range(3):  # forms that a script would send at once: the platform's, perhaps one of the tool's
            form = page.form_with("id_token")
            if not form:
                break
            check(form.action == self.platform.state.launch_url, "the platform was asked to post to a strange address")
            page = self.browser.submit(form)
        check(urllib.parse.urlsplit(page.url).netloc == self.browser.tool, f"the launch did not end at the tool but at {page}")
        check("id_token" not in page.url and "state=" not in page.url, "tokens stand in the address of the page after the launch")
        check(self.user.name in page.text, f"{page} does not say who is learning")
        say(f"launched {self.user.name}: {page}")
        return page

    def take_quiz(self, start: Page, choose: Chooser) -> Page:
        """From the quiz's start page, or an open attempt, to its result."""
        page = self.browser.submit(start.post_form())
        asked: set[str] = set()
        for _ in range(MAX_STEPS):
            form = page.form_with("choice")
            if form:
                self.answers.check_no_leak(page)
                options = form.named("choice")
                asked.add(page.prompt)
                button = next(((n, v) for n, v, _ in form.buttons if v == "next"), form.buttons[0][:2])
                page = self.browser.submit(form, {"choice": choose(page.prompt, options)}, button)
            elif self.is_result(page):
                say(f"  answered {len(asked)} questions: {page.heading}")
                return page
            else:  # the overview before handing in
                page = self.browser.submit(page.post_form())
        raise Failed(f"the quiz does not end; last at {page}")

    @staticmethod
    def is_result(page: Page) -> bool:
        return "page-result" in page.css_class.split()

    @staticmethod
    def passed(page: Page) -> bool:
        return page.heading.lower().startswith("passed")

    def pass_module(self, quiz_href: str, *, fail_first: bool) -> Page:
        start = self.browser.get(quiz_href)
        if fail_first:
            result = self.take_quiz(start, self.answers.wrong)
            check(not self.passed(result), "passed with wrong answers only")
            start = self.browser.get(quiz_href)
        result = self.take_quiz(start, self.answers.right)
        check(self.passed(result), f"not passed with right answers only: {result}")
        return result

    def pass_course(self, course_page: Page) -> Page:
        """Every module from the course page, in turn; the first one fails once."""
        done: set[str] = set()
        for _ in range(MAX_STEPS):
            quizzes = [h for h, text in course_page.links if re.search(r"/quiz\b", urllib.parse.urlsplit(h).path) and h not in done]
            if not quizzes:
                check(done, f"no quiz to take on {course_page}")
                say(f"all {len(done)} modules passed")
                return course_page
            self.pass_module(quizzes[0], fail_first=not done)
            done.add(quizzes[0])
            course_page = self.browser.get(course_page.url)
        raise Failed("the course does not end")

    def attest(self, course_page: Page) -> Page:
        """Signs the statement, once without what is needed and once rightly."""
        href = course_page.find_link(r"(/attest|sign the statement)")
        check(href, f"nothing to sign on {course_page}")
        page = self.browser.get(href)
        form = page.form_with("typed_name")
        check(form, f"no signature form on {page}")
        unsigned = self.browser.request("POST", form.action, [(i.name, i.value) for i in form.inputs if i.type == "hidden"])
        form = unsigned.form_with("typed_name")
        check(form, f"signed without name and consent: {unsigned}")
        page = self.browser.submit(form, {"typed_name": [self.user.name], "accept": ["yes"]})
        check(not page.form_with("typed_name"), f"the signature is refused: {page}")
        say(f"signed: {page}")
        return page

    def keep_attestation(self, page: Page, out: Path) -> None:
        """Saves the signed record and the public keys, for `verify_jws.mjs`."""
        if "certificate" not in page.css_class.split():
            page = self.browser.get(page.find_link(r"certificate") or page.url)
        href = page.find_link(r"\.jws$")
        check(href, f"no signed record to download on {page}")
        out.mkdir(parents=True, exist_ok=True)
        (out / "attestation.jws").write_bytes(self.browser.get(href).body)
        keys = self.browser.get(f"http://{self.browser.tool}/.well-known/jwks.json")
        (out / "attestation-keys.json").write_bytes(keys.body)
        say(f"kept {out / 'attestation.jws'} and attestation-keys.json")

    def await_score(self, link: str, wait: float) -> list[dict]:
        """The scores of this learner for the link, once the last one is the full mark."""
        deadline = time.monotonic() + wait
        while True:
            page = self.browser.get(f"{self.platform.state.base}/harness/scores")
            scores = [e["score"] for e in json.loads(page.body) if e["resource_link"] == link and e["score"]["userId"] == self.user.id]
            if scores and is_full(scores[-1]):
                return scores
            if time.monotonic() > deadline:
                raise Failed(f"no full mark for {link} within {wait:.0f} s; what came: {json.dumps(scores)}")
            time.sleep(0.25)


def is_full(score: dict) -> bool:
    return "scoreGiven" in score and abs(score["scoreGiven"] - score["scoreMaximum"]) < 1e-9


def check_scores(scores: list[dict]) -> None:
    """AGS 2.0 §3.4 and what gradebooks do with it: only final scores, never a worse one later."""
    times = [lti_platform.parse_time(s["timestamp"]) for s in scores]
    check(all(a < b for a, b in zip(times, times[1:])), f"timestamps do not increase: {[s['timestamp'] for s in scores]}")
    given = [s.get("scoreGiven", 0) / s["scoreMaximum"] if s.get("scoreMaximum") else None for s in scores]
    for score in scores:
        check(score["gradingProgress"] == "FullyGraded", f"gradingProgress {score['gradingProgress']} clears a grade at Moodle and Canvas")
    check(scores[-1]["activityProgress"] == "Completed", "the last score is not Completed")
    check(given == sorted(given), f"a later score is worse than an earlier one: {given}")
    say(f"{len(scores)} score(s) received: {', '.join(f'{g:.0%}' for g in given)}")


def run(options: argparse.Namespace) -> None:
    answers = Answers(options.content, options.course)
    with lti_platform.Platform(
        options.harness_port, options.tool, host=options.host, client_id=options.client_id, deployment_id=options.deployment_id
    ) as platform:
        browser = Browser(options.tool)
        journey = Journey(browser, platform, answers, options.user)
        try:
            page = journey.launch(options.course, options.module)
            if options.module:
                quiz = page.find_link(r"/quiz\b") if not page.form_with("choice") else page.url
                check(quiz, f"no way to the quiz from {page}")
                journey.pass_module(quiz, fail_first=True)
            else:
                page = journey.pass_course(page)
                page = journey.attest(page)
                if options.out:
                    journey.keep_attestation(page, options.out)
            link = platform.state.link(options.course, options.module)
            check_scores(journey.await_score(link, options.wait))
        finally:
            for complaint in platform.state.complaints:
                say(f"the platform complains: {complaint}")
        check(not platform.state.complaints, "the platform complained")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    lti_platform.arguments(parser)
    parser.add_argument("--harness-port", type=int, required=True)
    parser.add_argument("--content", type=Path, required=True, help="the folder that holds courses/")
    parser.add_argument("--course", default="owasp-top10-2025")
    parser.add_argument("--module", help="launch this one module instead of the whole course")
    parser.add_argument("--user", default="u-4711", choices=sorted(lti_platform.USERS))
    parser.add_argument("--wait", type=float, default=60, help="seconds the score may take")
    parser.add_argument("--out", type=Path, help="where to keep the signed attestation")
    options = parser.parse_args()
    try:
        run(options)
    except (Failed, OSError, http.client.HTTPException) as error:
        say(f"FAILED: {error}")
        return 1
    say("the journey held")
    return 0


if __name__ == "__main__":
    sys.exit(main())
