"""The connection to a Proxmox VE API, its tasks, and its failures put into words."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from ansible.module_utils.basic import missing_required_lib

try:
    import proxmoxer
    import requests
    from proxmoxer.core import AuthenticationError, ResourceException

    IMPORT_ERROR = None
except ImportError:
    IMPORT_ERROR = traceback.format_exc()

CONNECTION_SPEC: dict[str, dict[str, Any]] = {
    "api_host": {"type": "str", "required": True},
    "api_port": {"type": "int", "default": 8006},
    "api_user": {"type": "str", "required": True},
    "api_password": {"type": "str", "no_log": True},
    "api_token_id": {"type": "str"},
    "api_token_secret": {"type": "str", "no_log": True},
    "api_timeout": {"type": "int", "default": 30},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
}
CONNECTION_RULES: dict[str, list[tuple[str, ...]]] = {
    "mutually_exclusive": [("api_password", "api_token_id")],
    "required_one_of": [("api_password", "api_token_id")],
    "required_together": [("api_token_id", "api_token_secret")],
}

# Answers after which the same request may succeed: another task holds the guest's configuration, or the
# node's proxy is restarting. Wording of PVE::QemuConfig::check_lock and PVE::Tools::lock_file.
BUSY = ("is locked (", "can't lock file")
GATEWAY_ERRORS = (502, 503, 504, 596, 597)


class ProxmoxError(Exception):
    """A request or a task failed; the text says why and what to do.

    `status` is the HTTP status, or None if there was no answer. `busy` is true if the guest was locked.
    """

    def __init__(self, message: str, status: int | None = None, transient: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.transient = transient
        self.busy = any(words in message for words in BUSY)


class Proxmox:
    """A Proxmox VE API, reached with a token or a password.

    `params` are a module's parameters, of which `CONNECTION_SPEC` lists those used here.
    Raises ProxmoxError with the cause if the libraries are missing or the API refuses the login.
    """

    def __init__(self, params: dict[str, Any]) -> None:
        if IMPORT_ERROR is not None:
            raise ProxmoxError(missing_required_lib("proxmoxer and requests"))
        self.address = f"{params['api_host']}:{params['api_port']}"
        self.user = params["api_user"]
        verify: bool | str = params["validate_certs"]
        if verify and params["ca_path"]:
            verify = params["ca_path"]
        if params["api_token_id"]:
            # Proxmox shows a token as user@realm!name: both that and the bare name are understood.
            name = params["api_token_id"].rpartition("!")[2]
            self.login = f"token {self.user}!{name}"
            secret = {"token_name": name, "token_value": params["api_token_secret"]}
        else:
            self.login = f"user {self.user}"
            secret = {"password": params["api_password"]}
        with self._errors_in_words("log in"):
            self._api = proxmoxer.ProxmoxAPI(
                params["api_host"],
                port=params["api_port"],
                user=self.user,
                verify_ssl=verify,
                timeout=params["api_timeout"],
                **secret,
            )

    def get(self, path: str, **query: Any) -> Any:
        """Return the data of GET `path` (without a leading slash, such as `nodes`)."""
        return self._call("get", path, query)

    def post(self, path: str, **data: Any) -> Any:
        """Send POST `path`; returns its data, often the identifier (UPID) of a task."""
        return self._call("post", path, data)

    def put(self, path: str, **data: Any) -> Any:
        """Send PUT `path`; returns its data."""
        return self._call("put", path, data)

    def delete(self, path: str, **data: Any) -> Any:
        """Send DELETE `path`; returns its data."""
        return self._call("delete", path, data)

    def change(self, method: str, path: str, deadline: float, **data: Any) -> None:
        """Send a request and wait for its task; once more each time that the guest was locked.

        `deadline` is in time.monotonic() seconds. Raises ProxmoxError as `wait_for_task` does, or if the
        guest stayed locked.
        """
        reason = ""

        def attempt() -> bool | None:
            nonlocal reason
            try:
                self.wait_for_task(getattr(self, method)(path, **data), deadline)
            except ProxmoxError as error:
                if error.busy and time.monotonic() < deadline:
                    reason = str(error)
                    return None
                raise
            return True

        if poll(attempt, deadline) is None:
            raise ProxmoxError(f"The guest stayed locked: {reason}. See the tasks of the node.")

    def _call(self, method: str, path: str, data: dict[str, Any]) -> Any:
        with self._errors_in_words(f"{method.upper()} {path}"):
            return getattr(self._api(path), method)(**data)

    @contextlib.contextmanager
    def _errors_in_words(self, what: str) -> Iterator[None]:
        """Turn what proxmoxer and requests raise into ProxmoxError."""
        try:
            yield
        except AuthenticationError:
            raise ProxmoxError(self._refused("api_password"), 401) from None
        except ResourceException as error:
            raise self._explain(error, what) from None
        except requests.exceptions.SSLError as error:
            raise ProxmoxError(
                f"The TLS certificate of the Proxmox API at {self.address} is not trusted: {_root(error)}. "
                "Give the certificate of its authority as ca_path (on the node: /etc/pve/pve-root-ca.pem), "
                "or set validate_certs: false if you accept the risk."
            ) from None
        except requests.exceptions.Timeout:
            raise ProxmoxError(
                f"The Proxmox API at {self.address} did not answer {what} in time. "
                "Check that the node is up, or raise api_timeout.",
                transient=True,
            ) from None
        except requests.exceptions.RequestException as error:
            raise ProxmoxError(
                f"The Proxmox API at {self.address} cannot be reached: {_root(error)}. "
                "Check api_host and api_port, and that the node is up and its firewall lets this machine in.",
                transient=True,
            ) from None
        except OSError as error:  # requests raises it for a ca_path that does not exist
            raise ProxmoxError(f"Cannot read ca_path: {error}") from None

    def _refused(self, parameter: str) -> str:
        return (
            f"The Proxmox API at {self.address} refused the {self.login} (401). "
            f"Check api_user (with its realm, as in root@pam) and {parameter}, "
            "and that the login is enabled and has not expired."
        )

    def _explain(self, error: ResourceException, what: str) -> ProxmoxError:
        status = error.status_code
        # PVE writes its message into the reason of the status line, which proxmoxer calls the content.
        reason = (error.content or error.status_message).strip().rstrip(":")
        if status == 401:
            return ProxmoxError(self._refused("api_token_id and api_token_secret"), status)
        if status == 403:
            return ProxmoxError(
                f"The {self.login} may not {what} on {self.address}: {reason} (403). "
                "Grant it a role with that privilege on that path (Datacenter, Permissions), "
                "and to the token itself if its privileges are separated.",
                status,
            )
        if status == 595:
            return ProxmoxError(f"{what}: the node does not answer ({reason}). Is it running?", status)
        if isinstance(error.errors, dict):
            reason += " " + "; ".join(f"{key}: {value.strip()}" for key, value in error.errors.items())
        return ProxmoxError(
            f"Proxmox refused {what}: {reason} ({status})", status, transient=status in GATEWAY_ERRORS
        )

    def guests(self) -> list[dict[str, Any]]:
        """Return the cluster's guests that this login may see, templates and containers among them."""
        found: list[dict[str, Any]] = self.get("cluster/resources", type="vm")
        return found

    def nodes(self) -> dict[str, dict[str, Any]]:
        """Return the cluster's nodes by name, each with its `status`."""
        return {item["node"]: item for item in self.get("nodes")}

    def check_node(self, node: str) -> None:
        """Raise ProxmoxError, with the nodes there are, unless `node` exists and is up."""
        nodes = self.nodes()
        if node not in nodes:
            raise ProxmoxError(f"Node '{node}' does not exist. The cluster has: {', '.join(sorted(nodes))}.")
        if nodes[node]["status"] != "online":
            raise ProxmoxError(f"Node '{node}' is {nodes[node]['status']}. Start it, or choose another one.")

    def wait_for_task(self, upid: str | None, deadline: float) -> None:
        """Wait until a task has ended well.

        `upid` may be None: PVE answers so when the work was done at once. `deadline` is in
        time.monotonic() seconds. Raises ProxmoxError with the last line of the task's log if it failed,
        or if it still runs at the deadline (the task itself goes on).
        """
        if not upid:
            return
        node, kind = upid.split(":")[1], upid.split(":")[5]
        path = f"nodes/{node}/tasks/{upid}"

        def ended() -> dict[str, Any] | None:
            state: dict[str, Any] = self.get(f"{path}/status")
            return state if state["status"] == "stopped" else None

        state = poll(ended, deadline)
        if state is None:
            raise ProxmoxError(
                f"The Proxmox task {kind} has not ended in time: {self._last_line(path)}. It goes on; "
                "run again to wait for it, or raise timeout."
            )
        result = state.get("exitstatus", "unknown")
        if result != "OK" and not result.startswith("WARNINGS"):
            raise ProxmoxError(f"The Proxmox task {kind} failed: {self._last_line(path) or result}")

    def _last_line(self, path: str) -> str:
        # The default limit is 50 lines from the start, and the cause stands at the end.
        lines = [entry["t"].strip() for entry in self.get(f"{path}/log", start=0, limit=10000)]
        return next((line.removeprefix("TASK ERROR: ") for line in reversed(lines) if line), "")


def poll[T](probe: Callable[[], T | None], deadline: float) -> T | None:
    """Call `probe` until it returns something, at growing intervals; None if it has not by the deadline.

    The probe runs at least once. A moment without connection (a restarting API) is waited out.
    """
    interval = 0.1
    while True:
        try:
            found = probe()
        except ProxmoxError as error:
            if not error.transient or time.monotonic() >= deadline:
                raise
            found = None
        remaining = deadline - time.monotonic()
        if found is not None or remaining <= 0:
            return found
        time.sleep(min(interval, remaining))
        interval = min(interval * 1.5, 2.0)


def _root(error: BaseException) -> str:
    """Return the innermost cause of a connection error, without urllib3's wrapping."""
    while True:
        inner = getattr(error, "reason", None) or (error.args[0] if error.args else None)
        if not isinstance(inner, BaseException):
            break
        error = inner
    return str(error).rpartition(">: ")[2].rpartition("object at ")[2] or type(error).__name__
