"""The console: pages for people, on the gateway's HTTP port, which call what channels call."""
