"""RapidOCR's own pipeline over some pictures, in its own environment: `python rapidocr_peer.py FILE...`.

Prints a JSON line for each: seconds, and the texts with their boxes. Imports nothing of the project.
"""

import json
import sys
import time

import cv2
from rapidocr import RapidOCR


def main() -> None:
    """Runs the command."""
    engine = RapidOCR(
        params={
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "Global.log_level": "critical",
        }
    )
    cv2.setNumThreads(1)
    engine(cv2.imread(sys.argv[1]))  # loads the models; no page's time is to include that
    for file in sys.argv[1:]:
        picture = cv2.imread(file)
        start = time.perf_counter()
        found = engine(picture)
        seconds = time.perf_counter() - start
        texts = [] if found.txts is None else found.txts
        boxes = (
            []
            if found.boxes is None
            else [
                [float(box[:, 0].min()), float(box[:, 1].min()), float(box[:, 0].max()), float(box[:, 1].max())]
                for box in found.boxes
            ]
        )
        print(json.dumps({"seconds": seconds, "texts": list(texts), "boxes": boxes}))


if __name__ == "__main__":
    main()
