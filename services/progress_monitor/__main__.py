"""Runs the service: `python -m services.progress_monitor`, with settings in BANKAI_PROGRESS_MONITOR_... variables."""

import os

# As in services.doc_extract: pictures are decoded in processes of their own, which gRPC's fork handlers can abort.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

from bankai.process import main
from services.progress_monitor.app import serve
from services.progress_monitor.settings import ProgressMonitorSettings

if __name__ == "__main__":
    main(ProgressMonitorSettings, "progress_monitor", serve)
