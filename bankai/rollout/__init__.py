"""Rolling out models: judged against the one in service, put beside it, pointed to, and back."""
