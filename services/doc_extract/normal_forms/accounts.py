"""Account numbers."""

import re

from services.doc_extract.normal_forms.folding import compact

_SHORTEST, _LONGEST = 6, 40
_FORM = re.compile(r"[0-9](?:[0-9-]*[0-9])?")


def normalise_account(text: str) -> str | None:
    """The number's digits; None where the text holds anything but 6 to 40 digits, spaces and hyphens."""
    account = compact(text)
    if len(account) > 2 * _LONGEST or not _FORM.fullmatch(account):
        return None
    digits = account.replace("-", "")
    return digits if _SHORTEST <= len(digits) <= _LONGEST else None
