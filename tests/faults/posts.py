"""Load: clients that post voices through the gateway, each with words of its own, and write down every answer."""

import itertools
import threading
import time
from collections import Counter
from typing import Any, Self

import requests

from tests.faults.trial import Trial

PLANNED = {201, 503}  # a platform in trouble says so


class Posts:
    """Clients from `with` to its end: together they post `total` voices, or as many as they can meanwhile.

    `pause` is seconds between two posts of a client. Each attempt is a voice of its own: nobody repeats one whose
    answer is unknown. `noted` is how the figures begin.
    """

    def __init__(
        self,
        trial: Trial,
        clients: int,
        total: int | None = None,
        *,
        pause: float = 0.0,
        urls: tuple[str, ...] = (),
        noted: str = "",
    ) -> None:
        self._trial, self._total, self._pause, self._noted = trial, total, pause, noted
        self._urls = urls or (trial.world.platform.url,)
        self._numbers = itertools.count()
        self._series = f"{trial.dice.getrandbits(48):012x}"
        self._stopping = threading.Event()
        self.answers: Counter[Any] = Counter()
        self.took: list[float] = []  # seconds, of those that were acknowledged
        self._threads = [threading.Thread(target=self._post, args=(number,)) for number in range(clients)]
        self._clients = clients

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: object, *_error: object) -> None:
        if self._total is None or kind is not None:
            self._stopping.set()
        for thread in self._threads:
            thread.join()
        sizes, noted = self._trial.sizes, self._noted
        sizes[f"{noted}clients"] = self._clients
        sizes[f"{noted}posts"] = self.answers.total()
        sizes[f"{noted}answers"] = {str(answer): count for answer, count in sorted(self.answers.items(), key=str)}
        odd = {answer: count for answer, count in self.answers.items() if isinstance(answer, int)}
        self._trial.expect(set(odd) <= PLANNED, f"answers: {odd}")

    @property
    def finished(self) -> bool:
        """True when all `total` voices were posted and the clients have ended."""
        return not any(thread.is_alive() for thread in self._threads)

    @property
    def slowest(self) -> float:
        """The time in seconds that 99 % of the acknowledged posts stayed below; NaN if there were none."""
        return sorted(self.took)[int(len(self.took) * 0.99)] if self.took else float("nan")

    def _post(self, client: int) -> None:
        author = self._trial.world.authors[client % len(self._trial.world.authors)]
        url = f"{self._urls[client % len(self._urls)]}/v1/feedback"
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {author.tokens['access_token']}"
            for number in self._numbers:
                if self._stopping.is_set() or (self._total is not None and number >= self._total):
                    return
                if self._say(session, url, f"{self._series}-{number}") != 201:
                    time.sleep(0.2)
                time.sleep(self._pause)

    def _say(self, session: requests.Session, url: str, words: str) -> int | str:
        effects = self._trial.world.effects(words)
        self._trial.ledger.attempt(effects)
        began = time.monotonic()
        answer: int | str
        try:
            answer = session.post(url, json={"text": words}, timeout=15).status_code
        except requests.RequestException as error:
            answer = type(error).__name__
        if answer == 201:
            self._trial.ledger.acknowledge(effects)
            self.took.append(time.monotonic() - began)
        self.answers[answer] += 1
        return answer
