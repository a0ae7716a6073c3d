"""Questions asked of an endpoint, and answers kept as they come."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from emobatch.errors import Interrupted
from emobatch.judging import answer
from emobatch.judging.answers import Answers
from emobatch.judging.endpoint import Endpoint, Question, Spent
from emobatch.judging.review import Review
from emobatch.judging.verdicts import Verdicts
from emobatch.manifests.amount import counted
from emobatch.scoring.progress import Progress

log = logging.getLogger(__name__)


@dataclass
class Asking:
    """Questions that an endpoint is asked; answers are kept as they come.

    Attributes:
        review: how.
        verdicts: take what is answered.
        answers: keep it.
        progress: told how far it is.
        spent: so far.
        by_key: numbers of the rows of each question; several rows may be one question.
    """

    review: Review
    verdicts: Verdicts
    answers: Answers
    progress: Progress
    spent: Spent = field(default_factory=Spent)
    by_key: dict[str, list[int]] = field(default_factory=dict)

    def run(self, questions: Sequence[Question]) -> None:
        """Ask all, within the limits of requests and tokens.

        Args:
            questions: without an answer so far.

        Raises:
            EndpointError: if no request can succeed; answers so far are kept.
            Interrupted: by a signal; likewise.
        """
        for question in questions:
            self.by_key.setdefault(question.key, []).append(question.row)
        once = {question.key: question for question in questions}.values()
        review, labels = self.review, self.verdicts.labels
        endpoint = Endpoint(
            review.endpoint or "",
            review.model,
            review.options,
            answer.response_format(labels),
            review.concurrency,
            review.timeout,
            review.retries,
        )
        self.progress.start(len(questions))
        self.progress.begin()
        try:
            self._ask(endpoint, once)
        except KeyboardInterrupt as signal:
            kept = counted(len(self.answers.texts), "answer")
            raise Interrupted(
                f"{str(signal) or 'interrupted by SIGINT'}; {kept} kept in "
                f"{self.answers.held.path}, the same command goes on from there"
            ) from signal

    def _ask(self, endpoint: Endpoint, questions: Iterable[Question]) -> None:
        wanted = self._within_limits(questions)
        for reply in endpoint.ask(wanted, self.verdicts.is_readable, self.spent):
            rows = self.by_key[reply.question.key]
            if reply.text is None:
                for row in rows:
                    self.verdicts.failed(row, reply.error or "no answer")
            else:
                self.answers.add(reply.question.key, reply.text)
                for row in rows:
                    self.verdicts.answered(row, reply.text)
            self.progress.advance(rows=len(rows), errors=len(rows) * (reply.text is None))
        requests = counted(self.spent.requests, "request")
        log.info("note: %s, %d tokens", requests, self.spent.tokens)

    def _within_limits(self, questions: Iterable[Question]) -> Iterator[Question]:
        review = self.review
        for question in questions:
            # Questions under way may still be asked once more.
            if review.most_requests is not None and self.spent.requests >= review.most_requests:
                return
            if review.most_tokens is not None and self.spent.tokens >= review.most_tokens:
                return
            yield question
