"""What a bank asks for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Demand:
    """What a bank asks for; what has a default is assumed, and said in docs/capacity.md.

    Attributes:
        calls: Phone calls at once, at the peak.
        pages_per_day: Pages of documents on a working day.
        km2_per_week: Area of the sites whose pictures a week brings, once each.
        period_s: Mean seconds between the final segments of a call, whoever speaks.
        partials: Partial segments before each final one.
        call_s: Mean length of a call.
        busy_hours: Calls of a day, in hours of its peak.
        scanned: Share of the pages that are pictures.
        document_pages: Mean pages of a document.
        busiest_hour: Share of a day's pages that comes in its busiest hour.
        site_km2: Mean area of a site.
        pass_hours: Within how many hours a week's pictures are to be measured.
        retention_days: How long documents are kept.
    """

    calls: int
    pages_per_day: int
    km2_per_week: int
    period_s: float = 4.0
    partials: int = 2
    call_s: float = 180.0
    busy_hours: float = 11.0
    scanned: float = 0.5
    document_pages: float = 10.0
    busiest_hour: float = 0.15
    site_km2: float = 1.0
    pass_hours: float = 2.0
    retention_days: float = 90.0

    @property
    def finals_per_s(self) -> float:
        """Final segments a second, at the peak."""
        return self.calls / self.period_s

    @property
    def calls_per_day(self) -> float:
        """Calls of a day."""
        return self.calls * self.busy_hours * 3600 / self.call_s

    @property
    def pages_per_s(self) -> float:
        """Pages a second, in the busiest hour."""
        return self.pages_per_day * self.busiest_hour / 3600
