"""Runs the intent service: `python -m services.intent`, with its settings in BANKAI_INTENT_... variables."""

from bankai.process import main
from services.intent.app import serve
from services.intent.settings import IntentSettings

if __name__ == "__main__":
    main(IntentSettings, "intent", serve)
