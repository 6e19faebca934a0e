"""VerifyHistory: what must never break, looked for in what is stored."""
