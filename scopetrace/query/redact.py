"""Take secrets out of what was recorded, so that a session or a report can be given to others.

What is taken out:

1. Message texts (console, logs) and payload, whatever they are: only their lengths in lines and
   bytes stay.
2. The query of a URL, and the user and password before its host.
3. Values of header fields, arguments, variables and settings whose names say that they are secret
   (Authorization, Cookie, --password, API_KEY…).
4. Words that look like keys: those of well-known services, and long ones of letters and digits.
5. The memory of system calls (`run --syscalls`): only their arguments stay.

Names of files, programs, hosts and users stay. So does a secret in a place where none is expected:
redaction makes a session safer to show, not safe.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from scopetrace.model.event import EventRecord
from scopetrace.model.exchange import Content, Exchange
from scopetrace.model.process import Process
from scopetrace.model.process_tree import ProcessNode
from scopetrace.model.session import SessionInfo
from scopetrace.model.summary import Slow, Summary
from scopetrace.model.why import BadEnd, Why

REDACTED = "[redacted]"
FILLER = b"x"
"""Stands for each byte of payload."""
TEXT_TYPES = ("console", "file")
"""Sourcetypes whose messages are texts of the program."""

_NAME = (
    r"pass(?:wd|word|phrase|code)|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|pwd"
    r"|credentials?|cookies?|session[-_]?id|signature|(?<![a-z])pass|(?<![a-z])auth(?:orization)?"
)
"""What the name of something secret ends in, or a word of it; case does not matter."""
_SECRET_NAME = re.compile(rf"(?i)(?:{_NAME})(?![a-z])")
_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")
"""Where a word of a name such as accessToken begins."""
_FIELD = re.compile(
    rf"(?i)\b([\w.-]*(?:{_NAME})[\w.-]*)((?:\\?['\"])?\s*:\s*(?:\\?['\"])?)([^'\"\n]+)"
)
"""Name: value, as of a header field; the value goes on to a quote or the end of the line. Or both
in quotes, as in JSON."""
_SETTING = re.compile(
    rf"(?i)\b([\w.-]*(?:{_NAME})[\w.-]*)(\s*=\s*)('[^']*'|\"[^\"]*\"|[^\s'\"&;|]+)"
)
"""NAME=value."""
_VALUE = r"'[^']*'|\"[^\"]*\"|[^\s'\"&;|-][^\s'\"&;|]*"
_OPTION_AND_VALUE = re.compile(rf"(?i)(?<!\S)(--?[\w-]*(?:{_NAME}))(\s+)({_VALUE})")
"""--name value, in a text."""
_OPTION = re.compile(rf"(?i)--?(?:[\w-]*[_-])?(?:{_NAME})")
"""An option whose value is the next argument, by its name."""
_OPTIONS = {
    "curl": "-[A-Za-z]*[ubU]|--user|--proxy-user",
    "wget": "--user",
    "sshpass": "-p",
}
"""Program → its other options of this kind, also behind others of one letter (`curl -su`)."""
_ATTACHED = {
    "curl": ("-u", "-b", "-U"),
    **dict.fromkeys(("sshpass", "mysql", "mysqldump", "mysqladmin", "mariadb"), ("-p",)),
}
"""Program → its options that a value may follow without a space."""
_USER = re.compile(r"(?<=://)[^/\s@'\"]+@")
"""User and password in a URL."""
_URL_QUERY = re.compile(r"(\w://[^\s?#'\"]*\?)[^\s#'\"]+")
_KEY = re.compile(
    r"\b(?:AKIA[0-9A-Z]{12,}|gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}"
    r"|xox[abprs]-[\w-]{10,}|sk-[\w-]{16,}|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"
    r"|(?=[\w+=-]*[0-9])(?=[\w+=-]*[A-Za-z])[\w+=-]{40,})"
)
"""What keys look like: those of AWS, GitHub, GitLab, Slack, others; JSON Web Tokens; long words."""
_URL_HEADERS = (":path", "location", "content-location", "referer")
"""Header fields that hold a URL, perhaps without its beginning."""
_HTTP_FIELDS = ("http_", "net_", "unix_", "grpc_")
"""How the fields of http events begin that are no header fields."""


def is_secret_name(name: str) -> bool:
    """Return whether the value of a header field, an option or a variable is secret."""
    return _SECRET_NAME.search(_CASE.sub("_", name)) is not None


def redact_words(text: str) -> str:
    """Return a command line, an argument or a setting without the secrets in it."""
    text = _URL_QUERY.sub(rf"\1{REDACTED}", _USER.sub(f"{REDACTED}@", text))
    for pattern in (_FIELD, _SETTING, _OPTION_AND_VALUE):
        text = pattern.sub(_assigned, text)
    for program in _OPTIONS:
        if program in text:
            text = _redact_options(text, program)
    return _KEY.sub(REDACTED, text)


def _redact_options(text: str, program: str) -> str:
    """Return a text without the values of the secret options in its command lines of a program."""
    option = rf"(\s(?:{_OPTIONS[program]})(?:\s+|=))({_VALUE})"
    command = re.compile(rf"\b{program}\s[^&;|\n]*")
    return command.sub(lambda match: re.sub(option, rf"\1{REDACTED}", match[0]), text)


def _assigned(match: re.Match[str]) -> str:
    return f"{match[1]}{match[2]}{REDACTED}" if is_secret_name(match[1]) else match[0]


def redact_url(url: str) -> str:
    """Return a URL, or the target of a request, without its query, user and password."""
    before, mark, query = _USER.sub(f"{REDACTED}@", url).partition("?")
    return f"{before}{mark}{REDACTED if query else ''}"


def redact_text(text: str) -> str:
    """Return as many lines as `text` has, without what was in them."""
    lines = text.split("\n")
    return "\n".join(REDACTED if line else "" for line in lines)


def redact_payload(data: bytes) -> bytes:
    """Return as many bytes as `data` has."""
    return FILLER * len(data)


def redact_args(args: Sequence[str]) -> list[str]:
    """Return the arguments of a program, its name first, without the secrets in them."""
    found: list[str] = []
    program = args[0].rpartition("/")[2] if args else ""
    options, attached = re.compile(_OPTIONS.get(program, "(?!)")), _ATTACHED.get(program, ())
    is_value = False
    for arg in args:
        if is_value or (len(arg) > 2 and arg[:2] in attached):
            found.append(REDACTED if is_value else f"{arg[:2]}{REDACTED}")
        else:
            found.append(redact_words(arg))
        is_value = any(pattern.fullmatch(arg) is not None for pattern in (options, _OPTION))
    return found


def redact_cmd(cmd: str, args: Sequence[str]) -> str:
    """Return a command line as one text, which its arguments begin, without secrets."""
    before = " ".join(args)
    if not cmd.startswith(before):
        return redact_words(cmd)
    return " ".join(redact_args(args)) + cmd[len(before) :]


def redact_env(variables: Iterable[str]) -> list[str]:
    """Return NAME=value of each variable, without the secrets in the values."""
    found = []
    for variable in variables:
        name, sign, value = variable.partition("=")
        found.append(f"{name}{sign}{REDACTED if is_secret_name(name) else redact_words(value)}")
    return found


def redact_data(sourcetype: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return the data of an event without the secrets in it."""
    found = dict(data)
    if sourcetype in TEXT_TYPES and "message" in found:
        found["message"] = redact_text(str(found["message"]))
    for name, change in _FIELDS.items():
        if name in found:
            found[name] = change(found[name])
    if sourcetype == "http":
        for name in found:
            if not name.startswith(_HTTP_FIELDS):
                found[name] = redact_header(name, str(found[name]))
    return found


def redact_header(name: str, value: str) -> str:
    """Return the value of a header field without the secrets in it."""
    if is_secret_name(name):
        return REDACTED
    return redact_url(value) if name.lower() in _URL_HEADERS else redact_words(value)


def redact_tags(tags: dict[str, Any]) -> dict[str, Any]:
    """Return the tags of a metric or a process without the secrets in them."""
    return {name: _redact_tag(name, value) for name, value in tags.items()}


def _redact_tag(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return redact_args(value)
    if not isinstance(value, str):
        return value
    if name == "http_target":
        return redact_url(value)
    if name == "args":  # joined by spaces
        return redact_words(" ".join(redact_args(value.split(" "))))
    return REDACTED if is_secret_name(name) else redact_words(value)


def redact_process(process: Process) -> Process:
    """Return a process image without the secrets in its command line."""
    args = tuple(redact_args(process.args))
    return process._replace(args=args, cmd=redact_cmd(process.cmd, process.args))


def redact_info(info: SessionInfo) -> SessionInfo:
    """Return the facts of a session without the secrets in its command line."""
    return info._replace(args=tuple(redact_args(info.args)))


def redact_event(event: EventRecord) -> EventRecord:
    """Return an event without the secrets in it and in its process."""
    return event._replace(
        args=tuple(redact_args(event.args)),
        cmd=redact_cmd(event.cmd, event.args),
        data=redact_data(event.sourcetype, event.data),
    )


def redact_exchange(exchange: Exchange) -> Exchange:
    """Return an exchange without the secrets in it; its bodies are left out."""
    return exchange._replace(
        request=None if exchange.request is None else redact_data("http", exchange.request),
        response=None if exchange.response is None else redact_data("http", exchange.response),
        request_content=_redact_content(exchange.request_content),
        response_content=_redact_content(exchange.response_content),
    )


def _redact_content(content: Content | None) -> Content | None:
    if content is None:
        return None
    headers = tuple((name, redact_header(name, value)) for name, value in content.headers)
    return Content(headers, REDACTED.encode() if content.body else b"")


def redact_summary(summary: Summary) -> Summary:
    """Return a summary without the secrets in it."""
    return summary._replace(
        info=redact_info(summary.info),
        roots=tuple(map(_redact_node, summary.roots)),
        logs=tuple(log._replace(last=redact_text(log.last)) for log in summary.logs),
        stderr_last=tuple(map(redact_text, summary.stderr_last)),
        slow=tuple(map(_redact_slow, summary.slow)),
        bad_end=None if summary.bad_end is None else _redact_end(summary.bad_end),
    )


def redact_why(why: Why) -> Why:
    """Return why processes ended badly without the secrets in it."""
    return why._replace(info=redact_info(why.info), ends=tuple(map(_redact_end, why.ends)))


def _redact_end(end: BadEnd) -> BadEnd:
    calls = (call._replace(data=redact_data("console", call.data)) for call in end.last_calls)
    failures = (each._replace(data=redact_data("", each.data)) for each in end.failures)
    return end._replace(
        chain=tuple(map(_redact_node, end.chain)),
        failures=tuple(failures),
        stderr=tuple(map(redact_text, end.stderr)),
        stdout=tuple(map(redact_text, end.stdout)),
        log=tuple(map(redact_text, end.log)),
        said=redact_text(end.said),
        sender=None if end.sender is None else _redact_node(end.sender),
        last_calls=tuple(calls),
    )


def _redact_slow(slow: Slow) -> Slow:
    redact = redact_url if slow.kind == "request" else redact_words
    return slow._replace(name=redact(slow.name))


def _redact_node(node: ProcessNode) -> ProcessNode:
    """Return a process and all below it, the youngest first: trees can be deep."""
    done: dict[int, ProcessNode] = {}
    for _, each in reversed(list(node.walk())):
        children = tuple(done.pop(id(child)) for child in each.children)
        images = tuple(map(redact_process, each.images))
        done[id(each)] = each._replace(images=images, children=children)
    return done[id(node)]


_FIELDS = {
    "args": redact_args,
    "env": redact_env,
    "http_target": redact_url,
    "grpc_message": redact_text,
    "holder_cmd": redact_words,
}
"""Fields of events that may hold secrets → what takes them out."""
