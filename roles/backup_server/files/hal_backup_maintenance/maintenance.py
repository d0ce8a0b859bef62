"""Remove old snapshots from every repository; once a day free the space, check the rest and copy it off-site.

Usage: hal-backup-maintenance [--ages | --check | --create | --offsite | --recover | --retire | --unlock]
       --ages     tell how old the backups are of hosts that do not tell it themselves, and nothing else
       --check    free and check now
       --create   make the repositories that are missing, with their history off-site, add the new password
                  to those that only the former one opens, and nothing else
       --offsite  copy to the off-site repositories and check these now, and nothing else
       --recover  copy back from the off-site repositories what is not here, and nothing else
       --retire   let the former passwords open nothing any more, and nothing else
       --unlock   remove the locks that dead processes have left, and nothing else
Settings are in /etc/hal/backup-server.json. The repositories are in a directory of this host, where restic
runs as the server's user so that the server can read what it writes, or in a store elsewhere.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from typing import Any

import figures
import passwords
import repositories
import upkeep

WAIT_S = 600  # for another run of this program


def work_on(
    settings: dict[str, Any], copies: dict[str, Any] | None, host: str, options: argparse.Namespace
) -> None:
    """Create, copy, recover or maintain one repository, as the command line says.

    Raises:
        RepositoryError: that failed.
    """
    if settings["former"].get(host) and repositories.exists(settings, host):
        passwords.admit(settings, host)
    if options.retire:
        passwords.retire_everywhere(settings, copies, host)
    elif options.create:
        if not repositories.exists(settings, host):  # nobody has made it meanwhile
            upkeep.create(settings, host)
            upkeep.recount(settings, host)
            print(f"{host}: created")
    elif copies and options.offsite:
        upkeep.copy_offsite(settings, copies, host)
    elif copies and options.recover:
        upkeep.recover(settings, copies, host)
        upkeep.recount(settings, host)
    else:
        upkeep.maintain(settings, host, check=options.check)


def main() -> int:
    """Create, unlock or maintain the repositories; one that fails does not keep the others from it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    only = parser.add_mutually_exclusive_group()
    for name in ("ages", "check", "create", "offsite", "recover", "retire", "unlock"):
        only.add_argument(f"--{name}", action="store_true")
    options = parser.parse_args()
    try:
        settings = json.loads(repositories.SETTINGS.read_text())
    except (OSError, ValueError) as error:
        fault = f"the settings {repositories.SETTINGS} cannot be read: {error}; site.yml writes them"
        print(fault, file=sys.stderr)
        return 2
    if options.ages:
        figures.tell_ages(settings)
        return 0
    copies = repositories.offsite(settings)
    if copies is None and (options.offsite or options.recover):
        print(f"there is no off-site copy at {settings['offsite'].get('location', 'all')}", file=sys.stderr)
        return 1
    hourly = not any(vars(options).values())
    failed = False
    for host in settings["passwords"]:
        try:
            admits = options.create and bool(settings["former"].get(host))
            if options.create == repositories.exists(settings, host) and not admits:
                continue
            if options.unlock:
                repositories.unlock(settings, host)
                continue
            with repositories.alone(host, 0 if hourly else WAIT_S):
                work_on(settings, copies, host, options)
        except (repositories.RepositoryError, OSError) as error:
            # The next hour comes; how old checks and copies are is told in any case.
            failed = failed or not (hourly and isinstance(error, repositories.BusyError))
            print(f"{host}: {error}", file=sys.stderr)
    if not options.unlock:  # nothing has changed, and at boot the directory of the metrics may be missing
        figures.write_metrics(settings)
    return 1 if failed else 0


if __name__ == "__main__":
    for ended in (signal.SIGHUP, signal.SIGTERM):  # what is begun is left in order
        if signal.getsignal(ended) == signal.SIG_DFL:  # not below nohup
            signal.signal(ended, lambda number, _frame: sys.exit(128 + number))
    sys.exit(main())
