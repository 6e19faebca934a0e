"""Files as people send them, through the command line on a running stack."""
