"""A bounded pool of worker threads in front of the model, with a bounded queue."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from hal.speech.errors import Busy

ALL_TAKEN = "The service is busy: every worker and every place in the queue is taken."
MAX_UPLOADS = 32  # which bounds the memory that they take
MAX_UPLOADS_OF_AN_ADDRESS = 8

type Abandoned = Callable[[], bool]


class Place:
    """One request's place among those at work and those waiting; see Pool.place."""

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        self._executor = executor
        self._abandoned = threading.Event()
        self.work: Future[Any] | None = None

    async def run[T](self, function: Callable[[Abandoned], T]) -> T:
        """Run `function` in a worker as soon as one is free, and return what it returns.

        When the caller is cancelled, work that waits is dropped; work that has begun is told by
        the argument of `function`, a callable that then returns True.
        """
        future = self._executor.submit(function, self._abandoned.is_set)
        self.work = future
        try:
            return await asyncio.wrap_future(future)
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Give up whatever has not ended."""
        self._abandoned.set()
        if self.work is not None:
            self.work.cancel()


class Uploads:
    """The requests whose bodies are being received, all together and of each address."""

    def __init__(self) -> None:
        self._of_address: Counter[str] = Counter()

    @contextmanager
    def begin(self, address: str) -> Iterator[None]:
        """Count a request while its body is received.

        Raises:
            Busy: there are as many as there may be.
        """
        if self._of_address.total() >= MAX_UPLOADS:
            raise Busy("The service is busy: it is receiving as many requests as it can.")
        if self._of_address[address] >= MAX_UPLOADS_OF_AN_ADDRESS:
            raise Busy("This address is sending as many requests as one may: let one of them end first.")
        self._of_address[address] += 1
        try:
            yield
        finally:
            self._of_address[address] -= 1
            self._of_address += Counter()  # addresses without any are forgotten


class Pool:
    """Worker threads for `workers` jobs at a time, and room for `queue` more."""

    def __init__(self, workers: int, queue: int) -> None:
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="transcribe")
        self._capacity = workers + queue
        self._lock = threading.Lock()
        self._places: set[Place] = set()

    def refuse_if_full(self) -> None:
        """Say so before a request's body is read.

        Raises:
            Busy: every place is taken.
        """
        with self._lock:
            if len(self._places) >= self._capacity:
                raise Busy(ALL_TAKEN)

    @property
    def taken(self) -> int:
        """Places in use: requests waiting or at work."""
        return len(self._places)

    @contextmanager
    def place(self) -> Iterator[Place]:
        """Take a place for a request whose body has been read.

        A place whose caller has left is free again only when its thread has really ended.

        Raises:
            Busy: every place is taken.
        """
        with self._lock:
            if len(self._places) >= self._capacity:
                raise Busy(ALL_TAKEN)
            place = Place(self._executor)
            self._places.add(place)
        try:
            yield place
        finally:
            place.abandon()
            if place.work is None:
                self._release(place)
            else:
                place.work.add_done_callback(lambda _: self._release(place))

    def close(self) -> None:
        """Drop what waits, and tell what is at work to give up; does not wait for it."""
        with self._lock:
            places = tuple(self._places)
        for place in places:  # outside the lock: what is cancelled releases its place at once
            place.abandon()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _release(self, place: Place) -> None:
        with self._lock:
            self._places.discard(place)
