"""What every bankai service stands on: settings, server, errors, logs, telemetry, inference. Knows no domain."""
