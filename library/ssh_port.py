#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Wait until a host answers SSH on one of several ports and say which."""

from __future__ import annotations

import asyncio
import contextlib
import time

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: ssh_port
short_description: Wait until a host answers SSH on one of several ports and say which
description:
  - Runs on the controller. Tries all the ports at the same time, again and again, until one of them sends the
    banner of an SSH server.
  - Does not log in, so neither keys nor host keys matter.
options:
  host:
    description: Name or address of the host.
    type: str
    required: true
  ports:
    description: The ports to try. If several answer, the one named first is taken.
    type: list
    elements: int
    default: [22]
  timeout:
    description: Seconds to wait for an answer.
    type: float
    default: 60
  interval:
    description: Seconds between two attempts on a port.
    type: float
    default: 1
attributes:
  check_mode:
    support: full
    description: Waits as in a real run, as nothing is ever changed.
  diff_mode:
    support: none
    description: Changes nothing.
author: HAL network
"""

EXAMPLES = r"""
- name: Wait for SSH, before or after its port was configured
  ssh_port:
    host: 198.18.50.100
    ports: [2222, 22]
    timeout: 120
  delegate_to: localhost
"""

RETURN = r"""
port:
  description: The port that answers.
  type: int
  returned: success
banner:
  description: The identification of the SSH server.
  type: str
  returned: success
  sample: SSH-2.0-OpenSSH_10.0p2 Debian-7
elapsed:
  description: Seconds it took.
  type: float
  returned: always
answers:
  description: What each port said last.
  type: dict
  returned: failure
"""

ARGUMENT_SPEC = {
    "host": {"type": "str", "required": True},
    "ports": {"type": "list", "elements": "int", "default": [22]},
    "timeout": {"type": "float", "default": 60},
    "interval": {"type": "float", "default": 1},
}
ATTEMPT_S = 5.0  # one attempt's time to connect and to send the banner
LINES_BEFORE = 20  # a server may send other lines before its banner (RFC 4253, section 4.2)


class NoBannerError(Exception):
    """Something listens that does not speak SSH; the text is what it said."""


async def read_banner(host: str, port: int) -> str:
    """Return the identification that an SSH server sends; raise NoBannerError or OSError."""
    reader, writer = await asyncio.open_connection(host, port, limit=1024)
    said = ""
    try:
        for _ in range(LINES_BEFORE):
            line = await reader.readline()
            if line.startswith(b"SSH-"):
                return line.decode(errors="replace").strip()
            if not line:
                break
            said = said or line.decode(errors="replace").strip()
    except ValueError:  # a line beyond the limit
        said = said or "a long line"
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    raise NoBannerError(f"no SSH banner but {said!r}" if said else "closed without a banner")


async def attempt(host: str, port: int) -> tuple[str, str]:
    """Try a port once; return the banner, or nothing and the reason."""
    try:
        async with asyncio.timeout(ATTEMPT_S):
            return await read_banner(host, port), ""
    except TimeoutError:
        return "", "timed out"
    except ConnectionRefusedError:
        return "", "refused"
    except NoBannerError as error:
        return "", str(error)
    except OSError as error:
        return "", error.strerror or str(error)


async def find(
    host: str, ports: list[int], patience: float, interval: float
) -> tuple[int, str, dict[int, str]]:
    """Return the first port that answers within `patience` seconds and its banner, else 0 and nothing.

    The third value is what each port said last.
    """
    answers = dict.fromkeys(ports, "timed out")
    banners: dict[int, str] = {}
    tried = {port: asyncio.Event() for port in ports}

    async def persist(port: int) -> None:
        while port not in banners:
            banner, answers[port] = await attempt(host, port)
            tried[port].set()
            if banner:
                banners[port] = banner
            else:
                await asyncio.sleep(interval)

    tasks = [asyncio.create_task(persist(port)) for port in ports]
    await asyncio.wait(tasks, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
    if (
        banners
    ):  # those named before it have their first attempt, that no race decides between two that answer
        before = ports[: min(map(ports.index, banners))]
        await asyncio.gather(*(tried[port].wait() for port in before))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    port = next((port for port in ports if port in banners), 0)
    return port, banners.get(port, ""), answers


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    params = module.params
    wrong = [port for port in params["ports"] if not 0 < port < 65536]
    if wrong or not params["ports"]:
        module.fail_json(msg=f"ports: give at least one, from 1 to 65535; not {params['ports']}.")
    started = time.monotonic()
    port, banner, answers = asyncio.run(find(*(params[name] for name in ARGUMENT_SPEC)))
    elapsed = round(time.monotonic() - started, 3)
    if not port:
        said = ", ".join(f"port {number} {answer}" for number, answer in answers.items())
        message = f"{params['host']} did not answer SSH within {params['timeout']:g} s: {said}."
        module.fail_json(
            msg=message, answers={str(number): said for number, said in answers.items()}, elapsed=elapsed
        )
    module.exit_json(changed=False, port=port, banner=banner, elapsed=elapsed)


if __name__ == "__main__":
    main()
