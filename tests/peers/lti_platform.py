#!/usr/bin/env python3
"""A small LMS around PyPI's `lti1p3platform`: an LTI 1.3 platform that is not ours.

The library builds the login initiation, the launch and its claims, validates the tool's client
assertion against the tool's key set, issues access tokens and checks them at every service call.
This file adds the HTTP server, a gradebook in memory, and notes on whatever the tool does that
a stricter platform would refuse (`/harness/complaints`).

    python lti_platform.py --port 7200 --tool http://127.0.0.1:7100

For people and tests:

    /harness/registration              what to enter at the tool, as JSON
    /harness/launch?user=&course=&module=    starts a launch in the browser
    /harness/users                     who can be launched
    /harness/scores                    every score received, oldest first
    /harness/complaints                what the tool did wrong, in words
"""

from __future__ import annotations

import argparse
import datetime as dt
import html
import json
import secrets
import sys
import threading
import urllib.parse
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from jwcrypto.jwk import JWK
from lti1p3platform.exceptions import (
    InvalidKeySetUrl,
    LineItemNotFoundException,
    LtiException,
    LtiServiceException,
    MissingRequiredClaim,
    PreflightRequestValidationException,
    UnsupportedGrantType,
)
from lti1p3platform.ltiplatform import LTI1P3PlatformConfAbstract
from lti1p3platform.membership import Context
from lti1p3platform.message_launch import LTIAdvantageMessageLaunchAbstract
from lti1p3platform.oidc_login import OIDCLoginAbstract
from lti1p3platform.registration import Registration
from lti1p3platform.request import Request
from lti1p3platform.response import generate_next_link
from lti1p3platform.score import ActivityProgress, GradeProgress, UpdateScoreStatus
from lti1p3platform.service_connector import AssignmentsGradesService, NamesRoleProvisioningService

LIS = "http://purl.imsglobal.org/vocab/lis/v2/"
LEARNER = LIS + "membership#Learner"
INSTRUCTOR = LIS + "membership#Instructor"
CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCORE_TYPE = "application/vnd.ims.lis.v1.score+json"
CONTEXT = "sec-101"
# Line item addresses carry a query, as Moodle's do: whoever appends "/scores" to the text gets lost.
QUERY = "?type_id=3"


@dataclass(frozen=True)
class User:
    """One member of the course."""

    id: str
    name: str
    email: str
    role: str


USERS = {
    user.id: user
    for user in (
        User("u-4711", "Test Learner One", "test.learner.one@example.com", LEARNER),
        User("u-4712", "Tést Ó Learner Two", "test.learner.two@example.com", LEARNER),
        User("u-4713", "Test Learner Three", "test.learner.three@example.com", LEARNER),
        User("u-1001", "Test Teacher", "test.teacher@example.com", INSTRUCTOR),
    )
}


@dataclass
class State:
    """Everything the platform remembers. One lock: a test's traffic is thin."""

    base: str
    login_url: str
    launch_url: str
    jwks_url: str
    client_id: str
    deployment_id: str
    private_pem: str
    public_pem: str
    lock: threading.RLock = field(default_factory=threading.RLock)
    links: dict[str, dict] = field(default_factory=dict)  # link id -> course, module, title
    hints: dict[str, tuple[str, str]] = field(default_factory=dict)  # message hint -> user, link
    line_items: dict[str, dict] = field(default_factory=dict)  # number -> line item
    scores: list[dict] = field(default_factory=list)
    assertions: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    def complain(self, text: str) -> None:
        """Notes what a stricter platform would have refused."""
        with self.lock:
            self.complaints.append(text)
        print(f"complaint: {text}", file=sys.stderr, flush=True)

    def expect(self, fine: object, text: str) -> None:
        """Complains unless the condition holds."""
        if not fine:
            self.complain(text)

    def token_url(self) -> str:
        return f"{self.base}/token"

    def line_items_url(self) -> str:
        return f"{self.base}/courses/{CONTEXT}/lineitems{QUERY}"

    def line_item_url(self, number: str) -> str:
        return f"{self.base}/courses/{CONTEXT}/lineitems/{number}{QUERY}"

    def memberships_url(self) -> str:
        return f"{self.base}/courses/{CONTEXT}/members"

    def link(self, course: str | None, module: str | None) -> str:
        """The link for this course or module, made with its line item when it is asked for first."""
        key = "/".join(part for part in (course, module) if part) or "plain"
        link_id = "link-" + key.replace("/", "-")
        with self.lock:
            if link_id not in self.links:
                self.links[link_id] = {"course": course, "module": module, "title": f"Security training {key}"}
                self.add_line_item({"label": f"Security training {key}", "scoreMaximum": 100, "resourceLinkId": link_id})
        return link_id

    def add_line_item(self, item: dict) -> dict:
        with self.lock:
            number = str(len(self.line_items) + 1)
            self.line_items[number] = {**item, "id": self.line_item_url(number)}
            return self.line_items[number]

    def registration(self) -> dict:
        """What a tool needs to know of this platform."""
        return {
            "issuer": self.base,
            "client_id": self.client_id,
            "deployment_id": self.deployment_id,
            "auth_url": f"{self.base}/auth",
            "token_url": self.token_url(),
            "jwks_url": f"{self.base}/jwks",
        }


class PlatformConf(LTI1P3PlatformConfAbstract):
    """The library's configuration; made anew for each request, since it keeps state of one token."""

    def init_platform_config(self, state: State) -> None:
        self._registration = (
            Registration()
            .set_iss(state.base)
            .set_client_id(state.client_id)
            .set_deployment_id(state.deployment_id)
            .set_oidc_login_url(state.login_url)
            .set_launch_url(state.launch_url)
            .set_deeplink_launch_url(state.launch_url)
            .set_tool_key_set_url(state.jwks_url)
            .set_platform_public_key(state.public_pem)
            .set_platform_private_key(state.private_pem)
        )

    def get_registration_by_params(self, **kwargs: object) -> Registration:
        return self._registration


class HttpRequest(Request):
    """A request as the library wants it."""

    def build_metadata(self, request: "Handler") -> dict:
        query = dict(urllib.parse.parse_qsl(request.url.query))
        body = request.body.decode("utf-8", "replace")
        kind = request.headers.get("Content-Type", "")
        return {
            "method": request.command,
            "form_data": dict(urllib.parse.parse_qsl(body)) if "urlencoded" in kind else {},
            "get_data": query,
            "headers": request.headers,
            "content_type": kind,
            "path": request.url.path,
            "json": json.loads(body) if body and "json" in kind else None,
        }


class Login(OIDCLoginAbstract):
    """Third-party initiated login."""

    def set_lti_message_hint(self, **kwargs: str) -> None:
        self._lti_message_hint = kwargs["hint"]

    def get_redirect(self, url: str) -> str:
        return url


class Launch(LTIAdvantageMessageLaunchAbstract):
    """The resource link launch of one user."""

    def __init__(self, request: Request, conf: PlatformConf, state: State) -> None:
        super().__init__(request, conf)
        self.state = state

    def get_preflight_response(self) -> dict:
        return {**self._request.get_data, **self._request.form_data}

    def prepare_launch(self, preflight_response: dict) -> None:
        state = self.state
        with state.lock:
            user_id, link_id = state.hints[preflight_response["lti_message_hint"]]
            link = state.links[link_id]
            items = [n for n, item in state.line_items.items() if item.get("resourceLinkId") == link_id]
        user = USERS[user_id]
        self.set_user_data(user.id, [user.role], full_name=user.name, email_address=user.email)
        self.set_resource_link_claim(link_id, title=link["title"])
        self.set_launch_context_claim(CONTEXT, [LIS + "course#CourseOffering"], "Security onboarding", "SEC-101")
        self.set_launch_presentation_claim("iframe", f"{state.base}/harness/returned")
        custom = {"passmuster_course": link["course"], "passmuster_module": link["module"]}
        self.set_custom_parameters_claim({name: value for name, value in custom.items() if value})
        self.set_ags(state.line_items_url(), state.line_item_url(items[0]) if len(items) == 1 else None)
        self.set_nrps(state.memberships_url())
        self.set_extra_claims(
            {CLAIM + "tool_platform": {"guid": "peer.example", "product_family_code": "lti1p3platform", "name": "Peer LMS"}}
        )

    def render_launch_form(self, launch_data: dict, **kwargs: object) -> str:
        fields = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(launch_data[name])}">' for name in ("id_token", "state")
        )
        action = html.escape(launch_data["launch_url"])
        return (
            '<!doctype html><html lang="en"><title>Launch</title><body class="auto-submit">'
            f'<form method="post" action="{action}">{fields}<button>Go on</button></form>'
            "<script>document.forms[0].submit()</script>"
        )


class Grades(AssignmentsGradesService):
    """Line items, scores and results. The library checks token, scope and method before these are called."""

    def __init__(self, request: Request, conf: PlatformConf, state: State, number: str | None = None) -> None:
        super().__init__(request, conf, state.line_items_url(), state.line_item_url(number) if number else None)
        self.state = state

    def find_lineitem(self, line_item_id: str) -> dict:
        with self.state.lock:
            if line_item_id not in self.state.line_items:
                raise LineItemNotFoundException(line_item_id)
            return self.state.line_items[line_item_id]

    def find_lineitems(self, page=1, limit=None, line_item_id=None, resource_link_id=None, resource_id=None, tag=None, type_id=None) -> dict:
        wanted = {"resourceLinkId": resource_link_id, "resourceId": resource_id, "tag": tag}
        wanted = {name: value for name, value in wanted.items() if value is not None}
        with self.state.lock:
            items = [i for i in self.state.line_items.values() if all(i.get(n) == v for n, v in wanted.items())]
        return {"content": items, "has_next": False}

    def create_lineitem(self, creation_data: dict) -> dict:
        self.state.expect(creation_data.get("label"), "a line item without label")
        self.state.expect(number_above_zero(creation_data.get("scoreMaximum")), "a line item without a scoreMaximum above 0")
        return self.state.add_line_item({k: v for k, v in creation_data.items() if k != "id"})

    def update_lineitem(self, update_data: dict) -> dict:
        number = update_data["id"]
        item = self.find_lineitem(number)
        with self.state.lock:
            item.update({**update_data, "id": self.state.line_item_url(number)})
        return item

    def delete_lineitem(self, line_item_id: str) -> None:
        self.find_lineitem(line_item_id)
        with self.state.lock:
            del self.state.line_items[line_item_id]

    def update_score(self, line_item_id: str, score: dict) -> UpdateScoreStatus:
        self.find_lineitem(line_item_id)
        problem = score_problem(score)
        if problem:
            self.state.complain(f"score refused: {problem}")
            raise LtiServiceException(problem, 400)
        at = parse_time(score["timestamp"])
        with self.state.lock:
            earlier = [
                parse_time(s["score"]["timestamp"])
                for s in self.state.scores
                if s["line_item"] == line_item_id and s["score"]["userId"] == score["userId"]
            ]
            if earlier and at <= max(earlier):
                self.state.complain("score refused: its timestamp is not later than the one before")
                return UpdateScoreStatus.OLD_TIMESTAMP
            self.state.scores.append(
                {
                    "line_item": line_item_id,
                    "resource_link": self.state.line_items[line_item_id].get("resourceLinkId"),
                    "received_at": dt.datetime.now(dt.timezone.utc).isoformat(),
                    "score": score,
                }
            )
        return UpdateScoreStatus.SUCCESS

    def get_results(self, line_item_id: str, page=1, limit=None, user_id=None, type_id=None) -> dict:
        item = self.find_lineitem(line_item_id)
        latest = {}
        with self.state.lock:
            for entry in self.state.scores:
                if entry["line_item"] == line_item_id:
                    latest[entry["score"]["userId"]] = entry["score"]
        results = []
        for user, score in latest.items():
            if user_id not in (None, user):
                continue
            result = {"id": f"{item['id']}&result={user}", "scoreOf": item["id"], "userId": user, "resultMaximum": item["scoreMaximum"]}
            if score.get("scoreGiven") is not None:
                result["resultScore"] = score["scoreGiven"] * item["scoreMaximum"] / score["scoreMaximum"]
            if score.get("comment"):
                result["comment"] = score["comment"]
            results.append(result)
        return {"content": results, "has_next": False}


class Members(NamesRoleProvisioningService):
    """The course's roster."""

    def get_member_data_page(self, page=1, limit=None, role=None, since=None, rlid=None) -> dict:
        everybody = [
            {"user_id": u.id, "roles": [u.role], "name": u.name, "email": u.email, "status": "Active"}
            for u in USERS.values()
            if role in (None, u.role, u.role.rpartition("#")[2])
        ]
        size = limit or len(everybody) or 1
        start = (page - 1) * size
        return {"content": everybody[start : start + size], "has_next": start + size < len(everybody)}

    def get_context_by_id(self) -> Context:
        return Context(CONTEXT, "SEC-101", "Security onboarding")

    def is_resource_link_valid(self, context_id: str, resource_link_id: str) -> bool:
        return True


def number_above_zero(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0


def parse_time(text: str) -> dt.datetime:
    """An ISO 8601 moment with zone and fraction (AGS 2.0 §3.4.7 asks for both)."""
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None or "." not in text:
        raise ValueError("no zone or no fraction of a second")
    return moment


def score_problem(score: object) -> str | None:
    """What is wrong with a score, if anything (AGS 2.0 §3.4)."""
    if not isinstance(score, dict):
        return "not a JSON object"
    if score.get("userId") not in USERS:
        return "userId is nobody of this course"
    try:
        ActivityProgress(score.get("activityProgress"))
        GradeProgress(score.get("gradingProgress"))
    except ValueError as error:
        return str(error)
    try:
        parse_time(score.get("timestamp", ""))
    except (TypeError, ValueError) as error:
        return f"timestamp: {error}"
    given = score.get("scoreGiven")
    if "scoreGiven" in score:
        if isinstance(given, bool) or not isinstance(given, (int, float)) or given < 0:
            return "scoreGiven is not a number of at least 0"
        if not number_above_zero(score.get("scoreMaximum")):
            return "scoreGiven without a scoreMaximum above 0"
    return None


class Handler(BaseHTTPRequestHandler):
    """The addresses."""

    protocol_version = "HTTP/1.1"
    state: State

    def log_message(self, format: str, *args: object) -> None:
        pass

    def answer(self, status: int, body: object = b"", kind: str = "application/json", headers: dict | None = None) -> None:
        data = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def handle_any(self) -> None:
        self.url = urllib.parse.urlsplit(self.path)
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            self.dispatch()
        except (BrokenPipeError, ConnectionResetError):
            pass
        except Exception as error:  # a fault of this harness must not look like one of the tool
            self.state.complain(f"harness fault at {self.command} {self.url.path}: {error!r}")
            self.answer(500, {"error": repr(error)})

    do_GET = do_POST = do_PUT = do_DELETE = handle_any

    def dispatch(self) -> None:
        parts = [urllib.parse.unquote(part) for part in self.url.path.strip("/").split("/")]
        match parts:
            case ["jwks"]:
                self.answer(200, PlatformConf(state=self.state).get_jwks())
            case ["auth"]:
                self.auth()
            case ["token"]:
                self.token()
            case ["courses", course, *rest] if course == CONTEXT:
                self.service(rest)
            case ["harness", "launch"]:
                self.launch()
            case ["harness", "registration"]:
                self.answer(200, self.state.registration())
            case ["harness", "users"]:
                self.answer(200, [user.__dict__ for user in USERS.values()])
            case ["harness", "scores"]:
                with self.state.lock:
                    self.answer(200, self.state.scores)
            case ["harness", "complaints"]:
                with self.state.lock:
                    self.answer(200, self.state.complaints)
            case ["harness", "returned"]:
                self.answer(200, '<!doctype html><html lang="en"><title>Back</title><h1>Back at the LMS</h1>', "text/html; charset=utf-8")
            case _:
                self.answer(404, {"error": "not found"})

    def launch(self) -> None:
        """Starts a launch the way the library does: by its OIDC login redirect."""
        query = dict(urllib.parse.parse_qsl(self.url.query))
        user = query.get("user", next(iter(USERS)))
        if user not in USERS:
            self.answer(404, {"error": "no such user"})
            return
        hint = secrets.token_urlsafe(16)
        link = self.state.link(query.get("course"), query.get("module"))
        with self.state.lock:
            self.state.hints[hint] = (user, link)
        login = Login(HttpRequest(self), PlatformConf(state=self.state))
        login.set_lti_message_hint(hint=hint)
        self.answer(302, headers={"Location": login.initiate_login(user)})

    def auth(self) -> None:
        """The authorization endpoint. What the library does not look at is checked here."""
        request = HttpRequest(self)
        sent = {**request.get_data, **request.form_data}
        state = self.state
        fixed = {"scope": "openid", "response_type": "id_token", "response_mode": "form_post", "prompt": "none"}
        for name, value in fixed.items():
            state.expect(sent.get(name) == value, f"authorization request: {name} is {sent.get(name)!r}, not {value!r}")
        state.expect(sent.get("redirect_uri") == state.launch_url, "authorization request: redirect_uri is not the registered one")
        for name in ("state", "nonce"):
            state.expect(len(sent.get(name, "")) >= 22, f"authorization request: {name} holds less than 128 bits")
        hint = state.hints.get(sent.get("lti_message_hint", ""))
        if hint is None or hint[0] != sent.get("login_hint"):
            state.complain("authorization request: login_hint or lti_message_hint did not come back unchanged")
            self.answer(400, {"error": "invalid_request"})
            return
        if sent.get("redirect_uri") != state.launch_url:
            self.answer(400, {"error": "invalid_request"})
            return
        try:
            page = Launch(request, PlatformConf(state=state), state).lti_launch()
        except PreflightRequestValidationException:
            state.complain("authorization request: the library refuses it")
            self.answer(400, {"error": "invalid_request"})
            return
        self.answer(200, page, "text/html; charset=utf-8")

    def token(self) -> None:
        """The token endpoint: the library validates the assertion's signature by the tool's key set."""
        state = self.state
        request = HttpRequest(self)
        form = request.form_data
        state.expect("urlencoded" in request.content_type, "token request: not a form")
        state.expect(form.get("client_assertion_type") == ASSERTION_TYPE, "token request: wrong client_assertion_type")
        conf = PlatformConf(state=state)
        try:
            answer = conf.get_access_token(form)
            claims = conf.tool_validate_and_decode(form["client_assertion"])
        except UnsupportedGrantType:
            self.refuse_token("unsupported_grant_type", "grant type")
            return
        except (MissingRequiredClaim, LtiException, InvalidKeySetUrl, jwt.PyJWTError) as error:
            self.refuse_token("invalid_client", f"{type(error).__name__}: {error}")
            return
        # The library leaves these to others.
        audience = claims.get("aud")
        problems = [
            problem
            for bad, problem in (
                (claims.get("iss") != state.client_id or claims.get("sub") != state.client_id, "iss and sub are not the client_id"),
                (audience not in (state.token_url(), [state.token_url()]), "aud is not the token URL"),
                ("exp" not in claims or claims["exp"] - claims.get("iat", 0) > 3600, "exp is absent or far away"),
                (not claims.get("jti") or claims["jti"] in state.assertions, "jti is absent or was used before"),
                (not answer["scope"], "no scope that is known here"),
            )
            if bad
        ]
        if problems:
            self.refuse_token("invalid_client", "; ".join(problems))
            return
        with state.lock:
            state.assertions.add(claims["jti"])
        self.answer(200, answer)

    def refuse_token(self, code: str, why: str) -> None:
        self.state.complain(f"token request refused: {why}")
        self.answer(400, {"error": code})

    def service(self, rest: list[str]) -> None:
        """Advantage services. The library authenticates, then calls the classes above."""
        state, request = self.state, HttpRequest(self)
        conf = PlatformConf(state=state)
        state.expect(self.headers.get("User-Agent"), f"{self.command} {self.url.path} without a User-Agent")
        query = request.get_data
        for name in ("page", "limit"):
            if name in query:
                query[name] = int(query[name])
        try:
            match (self.command, rest):
                case ("GET", ["members"]):
                    roster = Members(request, conf, state.memberships_url())
                    reply = roster.handle_resp(roster.handle_get_members)
                case ("GET", ["lineitems"]):
                    reply = self.grades(request, conf, "handle_get_lineitems")
                case ("POST", ["lineitems"]):
                    reply = self.grades(request, conf, "handle_create_lineitem")
                case ("POST", ["lineitems", number, "scores"]):
                    state.expect(request.content_type == SCORE_TYPE, f"score sent as {request.content_type!r}")
                    reply = self.grades(request, conf, "handle_update_score", number)
                case ("GET", ["lineitems", number, "results"]):
                    reply = self.grades(request, conf, "handle_get_results", number)
                case (("GET" | "PUT" | "DELETE") as method, ["lineitems", number]):
                    name = {"GET": "handle_get_lineitem", "PUT": "handle_update_lineitem", "DELETE": "handle_delete_lineitem"}
                    reply = self.grades(request, conf, name[method], number)
                case _:
                    state.complain(f"no such service: {self.command} {self.path}")
                    self.answer(404, {"error": "not found"})
                    return
        except (LtiException, jwt.PyJWTError) as error:
            state.complain(f"{self.command} {self.url.path}: access token refused: {error}")
            self.answer(401, {"error": "invalid_token"}, headers={"WWW-Authenticate": "Bearer"})
            return
        if reply.code >= 400:
            state.expect(reply.code == 409, f"{self.command} {self.url.path}: {reply.code} {reply.message}")
            self.answer(reply.code, {"error": reply.message})
            return
        headers = {}
        result = reply.result
        if isinstance(result, dict) and "has_next" in result:
            if result.get("next"):
                headers["Link"] = generate_next_link(result["next"])
            result = result["content"]
        elif isinstance(result, dict) and result.get("next"):  # a page of the roster
            headers["Link"] = generate_next_link(result.pop("next"))
        self.answer(reply.code, b"" if result is None else result, reply.media_type, headers)

    def grades(self, request: Request, conf: PlatformConf, name: str, number: str | None = None):
        service = Grades(request, conf, self.state, number)
        arguments = {"line_item_id": number} if number else {}
        return service.handle_resp(getattr(service, name), **arguments)


class Platform:
    """The platform as a server in a thread; `with Platform(...) as platform` starts and stops it."""

    def __init__(self, port: int, tool: str, *, host: str = "127.0.0.1", client_id: str = "passmuster-peer", deployment_id: str = "1") -> None:
        key = JWK.generate(kty="RSA", size=2048)
        tool = tool.rstrip("/")
        handler = type("BoundHandler", (Handler,), {})
        self.server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self.state = handler.state = State(
            base=f"http://{host}:{self.server.server_port}",
            login_url=f"{tool}/lti/login",
            launch_url=f"{tool}/lti/launch",
            jwks_url=f"{tool}/lti/jwks.json",
            client_id=client_id,
            deployment_id=deployment_id,
            private_pem=key.export_to_pem(private_key=True, password=None).decode(),
            public_pem=key.export_to_pem().decode(),
        )

    def __enter__(self) -> "Platform":
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options that this and the journey share."""
    parser.add_argument("--tool", required=True, help="Passmuster's address, e.g. http://127.0.0.1:7100")
    parser.add_argument("--host", default="127.0.0.1", choices=("127.0.0.1", "localhost"), help="the name this platform goes by")
    parser.add_argument("--client-id", default="passmuster-peer")
    parser.add_argument("--deployment-id", default="1")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments(parser)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    options = parser.parse_args()
    platform = Platform(options.port, options.tool, host=options.host, client_id=options.client_id, deployment_id=options.deployment_id)
    print(json.dumps(platform.state.registration()), flush=True)
    try:
        platform.server.serve_forever()
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
