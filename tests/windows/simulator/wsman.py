"""The endpoint of Windows Remote Management: SOAP envelopes in, PowerShell remoting messages inside.

Covers what MS-WSMV and MS-PSRP ask for between one client and its runspace pools: create, command, send,
receive, signal and delete of a shell. psrpcore holds the protocol; this file carries its messages.
"""

from __future__ import annotations

import base64
import binascii
import uuid
import xml.etree.ElementTree as ElementTree
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import psrpcore
from psrpcore.types import (
    ErrorCategory,
    ErrorCategoryInfo,
    HostMethodIdentifier,
    NETException,
    PSInvocationState,
    RunspacePoolState,
)

NAMESPACES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "wsa": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "wsman": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "wst": "http://schemas.xmlsoap.org/ws/2004/09/transfer",
    "rsp": "http://schemas.microsoft.com/wbem/wsman/1/windows/shell",
    "fault": "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault",
    "pwsh": "http://schemas.microsoft.com/powershell",
}
SHELL_ACTIONS = NAMESPACES["rsp"] + "/"
TRANSFER_ACTIONS = NAMESPACES["wst"] + "/"
TIMED_OUT = 2150858793
UNKNOWN_SHELL = 2150858843
# An answer is cut like one of Windows, whose largest envelope holds 500 KiB.
LARGEST_PAYLOAD = 350_000


class Fault(Exception):
    """What a request gets instead of an answer.

    Args:
        code: The number that stands for the reason.
        reason: The reason in words.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Answer(NamedTuple):
    """What a pipeline writes: its output objects, its errors and its exit code."""

    output: list[str]
    errors: tuple[str, ...] = ()
    exit_code: int = 0


# A script and the lines piped into it go in, what it would write comes out.
Interpreter = Callable[[str, list[str]], Answer]


@dataclass
class Shell:
    """One runspace pool, its running pipelines and what they have to say, by pipeline."""

    pool: psrpcore.ServerRunspacePool = field(default_factory=psrpcore.ServerRunspacePool)
    inputs: dict[uuid.UUID, list[str]] = field(default_factory=lambda: defaultdict(list))
    outgoing: dict[uuid.UUID | None, deque[bytes]] = field(default_factory=lambda: defaultdict(deque))

    def receive(self, data: bytes, pipeline: uuid.UUID | None, interpreter: Interpreter) -> None:
        """Take in a payload of the client and do what it completes."""
        self.pool.receive_data(
            psrpcore.PSRPPayload(data=data, stream_type=psrpcore.StreamType.default, pipeline_id=pipeline)
        )
        while event := self.pool.next_event():
            match event:
                case psrpcore.CreatePipelineEvent() if event.pipeline.no_input:
                    self._run(event.pipeline_id, interpreter)
                case psrpcore.PipelineInputEvent():
                    self.inputs[event.pipeline_id].append(str(event.data))
                case psrpcore.EndOfPipelineInputEvent():
                    self._run(event.pipeline_id, interpreter)
        while payload := self.pool.data_to_send(LARGEST_PAYLOAD):
            self.outgoing[payload.pipeline_id].append(payload.data)

    def _run(self, identity: uuid.UUID, interpreter: Interpreter) -> None:
        pipeline = self.pool.pipeline_table[identity]
        script = "\n".join(command.command_text for command in pipeline.metadata.commands)
        pipeline.start()
        answer = interpreter(script, self.inputs.pop(identity, []))
        for line in answer.output:
            pipeline.write_output(line)
        for error in answer.errors:
            pipeline.write_error(
                NETException(Message=error, HResult=-2146233087),
                category_info=ErrorCategoryInfo(Category=ErrorCategory.NotSpecified),
                fully_qualified_error_id="SimulatedError",
            )
        if answer.exit_code:
            pipeline.host_call(HostMethodIdentifier.SetShouldExit, [answer.exit_code])
        pipeline.complete()

    def stop(self, identity: uuid.UUID) -> None:
        """Forget a pipeline."""
        if pipeline := self.pool.pipeline_table.get(identity):
            if pipeline.state == PSInvocationState.Running:
                pipeline.stop()
            pipeline.close()
        self.outgoing.pop(identity, None)


class Endpoint:
    """The shells of a host and the requests about them.

    Args:
        interpreter: What runs the scripts.
    """

    def __init__(self, interpreter: Interpreter) -> None:
        self.interpreter = interpreter
        self.shells: dict[str, Shell] = {}

    def answer(self, request: bytes) -> tuple[int, bytes]:
        """Answer an envelope.

        Args:
            request: The client's SOAP envelope.

        Returns:
            The HTTP status and the envelope of the answer.
        """
        envelope = ElementTree.fromstring(request)
        action = _text(envelope, "s:Header/wsa:Action")
        message = _text(envelope, "s:Header/wsa:MessageID")
        body = envelope.find("s:Body", NAMESPACES)
        actions: dict[str, Callable[[ElementTree.Element, ElementTree.Element], ElementTree.Element]] = {
            TRANSFER_ACTIONS + "Create": self._create,
            TRANSFER_ACTIONS + "Delete": self._delete,
            SHELL_ACTIONS + "Command": self._command,
            SHELL_ACTIONS + "Send": self._send,
            SHELL_ACTIONS + "Receive": self._receive,
            SHELL_ACTIONS + "Signal": self._signal,
        }
        try:
            if action not in actions:
                raise Fault(UNKNOWN_SHELL, f"The action {action} is not simulated")
            return 200, _envelope(action + "Response", message, actions[action](envelope, body))
        except Fault as fault:
            return 500, _envelope(NAMESPACES["wsa"] + "/fault", message, _fault(fault))

    def _shell(self, envelope: ElementTree.Element) -> tuple[str, Shell]:
        identity = _text(envelope, "s:Header/wsman:SelectorSet/wsman:Selector[@Name='ShellId']")
        if identity not in self.shells:
            raise Fault(UNKNOWN_SHELL, f"There is no shell {identity}")
        return identity, self.shells[identity]

    def _create(self, envelope: ElementTree.Element, body: ElementTree.Element) -> ElementTree.Element:
        request = body.find("rsp:Shell", NAMESPACES)
        identity = request.get("ShellId", str(uuid.uuid4()).upper())
        shell = self.shells[identity] = Shell()
        shell.receive(base64.b64decode(_text(request, "pwsh:creationXml")), None, self.interpreter)
        uri = _text(envelope, "s:Header/wsman:ResourceURI")
        answer = ElementTree.Element(_name("s:Body"))
        created = _add(answer, "wst:ResourceCreated")
        parameters = _add(created, "wsa:ReferenceParameters")
        _add(parameters, "wsman:ResourceURI", uri)
        _add(_add(parameters, "wsman:SelectorSet"), "wsman:Selector", identity, Name="ShellId")
        description = _add(answer, "rsp:Shell")
        for name, value in (("ShellId", identity), ("ResourceUri", uri), ("OutputStreams", "stdout")):
            _add(description, f"rsp:{name}", value)
        return answer

    def _command(self, envelope: ElementTree.Element, body: ElementTree.Element) -> ElementTree.Element:
        _, shell = self._shell(envelope)
        request = body.find("rsp:CommandLine", NAMESPACES)
        identity = uuid.UUID(request.get("CommandId"))
        psrpcore.ServerPipeline(shell.pool, identity)
        shell.receive(base64.b64decode(_text(request, "rsp:Arguments")), identity, self.interpreter)
        answer = ElementTree.Element(_name("s:Body"))
        _add(_add(answer, "rsp:CommandResponse"), "rsp:CommandId", str(identity).upper())
        return answer

    def _send(self, envelope: ElementTree.Element, body: ElementTree.Element) -> ElementTree.Element:
        _, shell = self._shell(envelope)
        stream = body.find("rsp:Send/rsp:Stream", NAMESPACES)
        try:
            data = base64.b64decode(stream.text or "", validate=True)
        except binascii.Error as error:
            raise Fault(UNKNOWN_SHELL, f"The stream is no base64: {error}") from error
        shell.receive(data, _identity(stream), self.interpreter)
        answer = ElementTree.Element(_name("s:Body"))
        _add(answer, "rsp:SendResponse")
        return answer

    def _receive(self, envelope: ElementTree.Element, body: ElementTree.Element) -> ElementTree.Element:
        _, shell = self._shell(envelope)
        wanted = body.find("rsp:Receive/rsp:DesiredStream", NAMESPACES)
        waiting = shell.outgoing[_identity(wanted)]
        if not waiting:
            raise Fault(TIMED_OUT, "There is nothing to receive")
        answer = ElementTree.Element(_name("s:Body"))
        response = _add(answer, "rsp:ReceiveResponse")
        names = {"CommandId": wanted.get("CommandId")} if wanted.get("CommandId") else {}
        _add(response, "rsp:Stream", base64.b64encode(waiting.popleft()).decode(), Name="stdout", **names)
        if names:
            state = "Running" if waiting else "Done"
            _add(response, "rsp:CommandState", State=f"{NAMESPACES['rsp']}/CommandState/{state}", **names)
        return answer

    def _signal(self, envelope: ElementTree.Element, body: ElementTree.Element) -> ElementTree.Element:
        _, shell = self._shell(envelope)
        shell.stop(_identity(body.find("rsp:Signal", NAMESPACES)))
        answer = ElementTree.Element(_name("s:Body"))
        _add(answer, "rsp:SignalResponse")
        return answer

    def _delete(self, envelope: ElementTree.Element, body: ElementTree.Element) -> ElementTree.Element:
        identity, shell = self._shell(envelope)
        for pipeline in list(shell.pool.pipeline_table):
            shell.stop(pipeline)
        if shell.pool.state == RunspacePoolState.Opened:
            shell.pool.close()
        del self.shells[identity]
        return ElementTree.Element(_name("s:Body"))


def _name(prefixed: str) -> str:
    prefix, _, name = prefixed.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{name}"


def _add(parent: ElementTree.Element, name: str, text: str = "", **attributes: str) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, _name(name), attributes)
    element.text = text or None
    return element


def _text(element: ElementTree.Element, path: str) -> str:
    found = element.find(path, NAMESPACES)
    if found is None:
        raise Fault(UNKNOWN_SHELL, f"The request has no {path}")
    return found.text or ""


def _identity(element: ElementTree.Element) -> uuid.UUID | None:
    return uuid.UUID(element.get("CommandId")) if element.get("CommandId") else None


def _envelope(action: str, relates_to: str, body: ElementTree.Element) -> bytes:
    envelope = ElementTree.Element(_name("s:Envelope"))
    header = _add(envelope, "s:Header")
    _add(header, "wsa:Action", action)
    _add(header, "wsa:MessageID", f"uuid:{uuid.uuid4()}".upper())
    _add(header, "wsa:RelatesTo", relates_to)
    envelope.append(body)
    return ElementTree.tostring(envelope, encoding="utf-8")


def _fault(fault: Fault) -> ElementTree.Element:
    body = ElementTree.Element(_name("s:Body"))
    element = _add(body, "s:Fault")
    _add(_add(element, "s:Code"), "s:Value", "s:Receiver")
    _add(_add(element, "s:Reason"), "s:Text", str(fault))
    detail = _add(_add(element, "s:Detail"), "fault:WSManFault", Code=str(fault.code))
    _add(detail, "fault:Message", str(fault))
    return body
