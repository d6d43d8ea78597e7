"""The facts behind one invented document: every slot of a field and number prints the same fact, and facts agree."""

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from training.doc_extract.values import amounts, codes, names, rates, times
from training.doc_extract.values.phrases import phrase
from training.doc_extract.wording import Slot

_PARTIES = ("borrower", "lender", "guarantor")
_WORDS = ("product", "purpose", "collateral", "drawdown_condition", "repayment_method", "approval_opinion")


@dataclass(frozen=True, slots=True)
class Loan:
    """One loan.

    Attributes:
        amount: In yuan.
        annual: Yearly rate in per cent.
        spread: Basis points over LPR.
        months: Term.
        signed: Day of signature.
        start: First day.
        end: Day it is due.
    """

    amount: Decimal
    annual: Decimal
    spread: int
    months: int
    signed: date
    start: date
    end: date


class Facts:
    """Prints slots.

    Args:
        random: Source of chance.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._loans: dict[int, Loan] = {}
        self._printed: dict[tuple[str, int, str], str] = {}
        self._day = date(random.choice((random.randint(1992, 2025), random.randint(2005, 2025))), 1, 1)
        self._day += timedelta(days=random.randint(0, 364))

    def print(self, slot: Slot) -> str:
        """What stands at a slot."""
        if slot.text:
            return slot.text
        if slot.short:
            return self._again(slot, "short", lambda: names.short_name(self._party(slot), self._random))
        if not slot.labelled:
            return self._distractor(slot)
        if slot.name in _PARTIES:
            return self._party(slot)
        if slot.name in _WORDS:
            return self._again(slot, "", lambda: phrase(slot.name, slot.form, self._random))
        make = self._codes(slot.form).get(slot.name)
        return self._again(slot, "", make) if make else self._figure(slot, self._loan(slot.number))

    def _codes(self, form: str) -> dict[str, Callable[[], str]]:
        return {
            "contract_no": lambda: codes.contract_number(self._random),
            "account": lambda: codes.account(self._random),
            "borrower_id": lambda: self._identity(form),
        }

    def _figure(self, slot: Slot, loan: Loan) -> str:
        form, random = slot.form or "any", self._random
        if slot.name == "amount":
            return amounts.amount(loan.amount, form, random)
        if slot.name == "amount_upper":
            return amounts.in_words(loan.amount, form, random)
        if slot.name == "rate":
            return self._again(slot, form, lambda: rates.rate(loan.annual, loan.spread, form, random))
        if slot.name == "penalty_rate":
            return self._again(slot, form, lambda: rates.penalty(form, random))
        if slot.name == "term":
            return times.term(loan.months, form, random)
        return times.day(self._date(slot.name, loan), form, random)

    def _date(self, field: str, loan: Loan) -> date:
        if field == "sign_date":
            return loan.signed
        if field in ("start_date", "validity_start"):
            return loan.start
        return loan.end

    def _again(self, slot: Slot, form: str, make: Callable[[], str]) -> str:
        key = (slot.name, slot.number, form)
        if key not in self._printed:
            self._printed[key] = make()
        return self._printed[key]

    def _party(self, slot: Slot) -> str:
        return self._again(Slot(slot.name, number=slot.number), "", lambda: self._name(slot.name, slot.form))

    def _name(self, field: str, form: str) -> str:
        random = self._random
        if not form:
            form = "branch" if field == "lender" else "org" if random.random() < 0.5 else "person"
        lends = field == "lender"
        makers = {
            "org": names.organisation,
            "person": names.person,
            "bank": names.bank,
            "branch": names.branch,
            "brief": names.brief_bank if lends else names.brief_organisation,
            "en": names.english_bank if lends else names.english_organisation,
        }
        return makers.get(form, names.organisation)(random)

    def _identity(self, form: str) -> str:
        card = form == "idcard" or (form != "uscc" and self._random.random() < 0.5)
        return codes.identity_card(self._random) if card else codes.credit_code(self._random)

    def _loan(self, number: int) -> Loan:
        if number not in self._loans:
            self._loans[number] = self._new_loan()
        return self._loans[number]

    def _new_loan(self) -> Loan:
        random = self._random
        unit = random.choice((1_000, 10_000, 10_000, 100_000, 100_000, 1_000_000, 10_000_000))
        amount = Decimal(unit * random.randint(1, 99))
        if random.random() < 0.15:
            amount += Decimal(random.randint(1, 999_999)) / 100
        annual = Decimal(random.choice((random.randint(280, 720), random.randint(280, 2400)))) / 100
        if random.random() < 0.25:
            annual += Decimal(random.randint(1, 99)) / 10_000
        months = random.choice((3, 6, 9, 12, 12, 12, 18, 24, 24, 36, 36, 48, 60, 72, 84, 96, 120, 180, 240, 360))
        signed = self._day + timedelta(days=random.randint(0, 40))
        start = signed + timedelta(days=random.choice((0, 0, 0, 1, 5, 12)))
        return Loan(amount, annual, random.randint(-80, 250), months, signed, start, _later(start, months, random))

    def _distractor(self, slot: Slot) -> str:
        form, random, loan = slot.form or "any", self._random, self._new_loan()
        other = timedelta(days=random.randint(-2000, 2500))
        makers = {
            "amount": lambda: amounts.amount(loan.amount, form, random),
            "amount_upper": lambda: amounts.in_words(loan.amount, form, random),
            "rate": lambda: rates.rate(loan.annual, loan.spread, form, random),
            "penalty_rate": lambda: rates.penalty(form, random),
            "percent": lambda: (
                f"{random.choice((5, 10, 20, 30, 50, 60, 70, 80, 100, 0.5, 1, 3))}{random.choice('%%％')}"
            ),
            "date": lambda: times.day(self._day + other, form, random),
            "term": lambda: times.term(loan.months, form, random),
            "party": lambda: self._name("none", form if form != "any" else ""),
            "person": lambda: names.english_person(random) if form == "en" else names.person(random),
            "bank": lambda: names.english_bank(random) if form == "en" else names.branch(random),
            "assignee": lambda: names.assignee(random),
            "id": lambda: self._identity(form),
            "account": lambda: codes.account(random),
            "no": lambda: codes.contract_number(random),
        }
        if slot.name in makers:
            return makers[slot.name]()
        return Facts(random).print(Slot(slot.name, slot.form))


def _later(day: date, months: int, random: Random) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last)) - timedelta(days=random.choice((0, 0, 1)))
