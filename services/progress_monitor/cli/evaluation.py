"""`bankai eval change` and `bankai eval progress`."""

from pathlib import Path
from typing import Annotated

import typer

CHANGE_METRICS = (
    ("n", "pairs judged"),
    ("precision", "of the pixels found, those that have changed"),
    ("recall", "of the pixels that have changed, those found"),
    ("f1", "of these two, over all pixels together"),
    ("iou", "pixels right over pixels right, wrong and missed"),
    ("mean_shift_px", "pixels by which the second picture was displaced"),
    ("mpx_per_s", "millions of pixels a second, files to answer"),
)
PROGRESS_METRICS = (
    ("n_dates", "dates judged"),
    ("stage_acc", "dates whose stage is right"),
    ("progress_mae", "mean error of the progress"),
    ("start_day_error", "mean days between found and true start"),
    ("finish_day_error", "mean days between found and true finish"),
    ("false_regressions", "times that stage or progress fell"),
    ("interval_coverage", "share of the 80 % intervals that hold the truth"),
)


def eval_change(
    folder: Annotated[Path, typer.Argument(help="Folder of pairs, each in a folder of its own.", metavar="DIR")],
) -> None:
    """Judge change detection on pairs of pictures whose changes are known.

    Every sub-folder holds t1*, t2* (GeoTIFF or image; several files where bands differ in resolution) and mask.png,
    white where something has changed.

    \b
    Example:
      bankai eval change my-pairs/
    """
    from bankai.cli.report import report
    from services.progress_monitor.cli.judging import change

    report(change(folder), CHANGE_METRICS)


def eval_progress(
    folder: Annotated[Path, typer.Argument(help="A site's folder, or a folder of such.", metavar="DIR")],
) -> None:
    """Judge stage and progress on sites whose course is known.

    \b
    Example:
      bankai eval progress my-sites/
    \b
    site.json:
      {"aoi": {"type": "Polygon", "coordinates": [[[114.1, 22.3], ...]]},
       "images": [{"path": "2025-03-01.tif", "date": "2025-03-01", "sensor": "sentinel2_l2a"}],
       "plan": [{"date": "2025-02-01", "progress": 0.0}, {"date": "2026-06-01", "progress": 1.0}],
       "truth": [{"date": "2025-03-01", "stage": "clearing", "progress": 0.02}]}
    "mask" with the name of a picture may stand for "aoi"; plan may be null, and progress within the truth.
    """
    from bankai.cli.report import report
    from services.progress_monitor.cli.judging import progress

    report(progress(folder), PROGRESS_METRICS)
