"""The thin door: check, call one store method, answer."""
