"""What the evaluation of any capability needs: reading gold files and the metrics themselves. Knows no domain."""
