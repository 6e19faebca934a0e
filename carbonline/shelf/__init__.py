"""The factor shelf: published sets of emission factors with open licences."""
