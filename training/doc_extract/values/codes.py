"""Identity numbers, credit codes, account numbers and contract numbers, valid where they have a checksum."""

from random import Random

from services.doc_extract.normal_forms.identities import CREDIT_LETTERS, credit_check, resident_check

_AREAS = (110101, 330281, 440306, 510104, 370102, 420106, 350203, 320581, 610112, 140105)
_WORDS = ("借", "贷", "保", "抵", "质", "授", "信", "流借", "高保", "抵借", "个借", "农信", "银", "审批")


def identity_card(random: Random) -> str:
    """A resident identity number (GB 11643)."""
    birth = f"{random.randint(1945, 2003)}{random.randint(1, 12):02}{random.randint(1, 28):02}"
    body = f"{random.choice(_AREAS)}{birth}{random.randint(1, 999):03}"
    return body + resident_check(body)


def credit_code(random: Random) -> str:
    """A unified social credit code (GB 32100)."""
    body = (
        random.choice(("91", "91", "92", "93"))
        + f"{random.randint(110000, 659000)}"
        + "".join(random.choices(CREDIT_LETTERS, k=9))
    )
    return body + credit_check(body)


def account(random: Random) -> str:
    """A bank account or card number, now and then in groups of four."""
    digits = random.choice(("62", "44", "1", "3", "0")) + "".join(
        random.choices("0123456789", k=random.randint(13, 18))
    )
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4)) if random.random() < 0.15 else digits


def contract_number(random: Random) -> str:
    """A number of a contract, a notice or a note."""
    year, serial = random.randint(1993, 2025), random.randint(1, 9999)
    letters = "".join(random.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=random.randint(1, 4)))
    word = random.choice(_WORDS)
    long = random.randint(10**10, 10**12)
    forms = (
        *(f"{year}年{word}字第{serial}号", f"（{year}）{word}字第{serial:04}号", f"[{year}]{word}字{serial}号"),
        *(f"{word}字第{year}{serial:04}号", f"{year}信银{word}贷字第{long % 10**6}号", f"({year})第{serial}号"),
        *(f"{letters}{year}{serial:06}", f"{letters}-{year}-{serial:04}", f"{letters}{serial:08}", f"{long}"),
        *(f"第{serial}号", f"{serial:03}", f"{year}—{serial:03}", f"农信借字({year})第{serial}号"),
        *(f"{year}{serial:05}{long % 100:02}", f"HT{year}{long % 12 + 1:02}{serial:04}"),
    )
    return random.choice(forms)
