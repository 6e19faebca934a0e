"""What comes at once is parsed in parts that end with a head."""

from gateway_service.parts import PART_BYTES_MIN, end_of_part


def test_a_part_ends_with_a_head_and_is_not_too_small() -> None:
    head = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * PART_BYTES_MIN + b"\r\n\r\n"
    assert end_of_part(head * 3, 0) == len(head)
    assert end_of_part(head * 3, 2 * len(head)) == 3 * len(head)
    assert end_of_part(head.replace(b"\r", b"") * 2, 0) == len(head.replace(b"\r", b""))
    assert end_of_part(b"\n" * 1_000, 0) == PART_BYTES_MIN + 2
    assert end_of_part(b"GET / HT", 0) == 8
