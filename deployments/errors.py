"""What can go wrong while putting Syncline up.

ProblemError is the only class: the reaction is always to tell a person, in a sentence, what to do.
"""


class ProblemError(Exception):
    """Something that a person must put right before this can go on."""

    def __init__(self, code: str, detail: str, action: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.action = action

    def __str__(self) -> str:
        return f"{self.detail} {self.action}".strip()
