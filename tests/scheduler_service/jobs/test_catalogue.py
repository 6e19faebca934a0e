"""What the scheduler knows of data-entry types is what the contract says of them."""

from protos.generate_catalogue import TARGET, catalogue


def test_the_catalogue_is_generated_from_the_contract() -> None:
    assert TARGET.read_text("utf-8") == catalogue(), "run `make protos`"
