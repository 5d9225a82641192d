"""Every refusal the backend answers with: the HTTP status belongs to the class, the sentence to the case.

Refusal
├── NotFoundError          404   there is no such thing, or it is another operator's
├── ForeignJobError        403   the board's owner is not the job's
├── ForeignFormError       403   a form of the operator's page that does not come from that page
├── ConflictError          409   it contradicts what is there; nothing was changed
├── BadClaimError          400   the claim code is wrong, spent or expired
├── NameTakenError         400   somebody registered under this name before
├── NotSignedInError       401   no valid cookie, or no valid device token
├── TooManyAttemptsError   429   guessing is limited; the answer says for how long
└── StoreBusyError         503   the database did not answer; the same call may be repeated
"""


class Refusal(Exception):  # noqa: N818 - a refusal is an answer; its leaves are the errors
    """An expected refusal; `detail` is one sentence for the person or board that asked.

    The sentence is kept apart from the `values` in its braces, so that it can be said in another language.
    """

    status = 400

    def __init__(self, sentence: str, *, headers: dict[str, str] | None = None, **values: object) -> None:
        self.sentence = sentence
        self.values = values
        self.detail = sentence.format(**values) if values else sentence
        self.headers = headers
        super().__init__(self.detail)


class NotFoundError(Refusal):
    """There is no such thing, or it is another operator's (which is not told apart)."""

    status = 404


class ForeignJobError(Refusal):
    """The job exists, but the board belongs to another operator."""

    status = 403


class ForeignFormError(Refusal):
    """A form does not come from the operator's page, or from one that was loaded in another session."""

    status = 403

    def __init__(self) -> None:
        super().__init__("This form is out of date. Load the page again and send it once more.")


class ConflictError(Refusal):
    """The request contradicts what is there; nothing was changed."""

    status = 409


class BadClaimError(Refusal):
    """The claim code is wrong, spent or expired."""

    status = 400


class NameTakenError(Refusal):
    """Somebody registered under this name before."""

    status = 400


class NotSignedInError(Refusal):
    """There is no valid cookie, or no valid device token."""

    status = 401


class TooManyAttemptsError(Refusal):
    """Guessing is limited; ``Retry-After`` says for how many seconds."""

    status = 429

    def __init__(self, detail: str, *, retry_after_s: int) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_s)})


class StoreBusyError(Refusal):
    """The database did not answer (locked, full); nothing was changed and the call may be repeated."""

    status = 503
