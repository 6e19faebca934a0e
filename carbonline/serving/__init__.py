"""What every carbonline server is made of; it knows no service."""
