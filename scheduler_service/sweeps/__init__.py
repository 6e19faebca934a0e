"""What time makes due: lapsed leases, backoffs, drains, and a backstop that finds nothing."""
