"""Where rows come from if nobody sends a file: services that a worker asks."""
