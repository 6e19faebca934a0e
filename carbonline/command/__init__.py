"""The `carbonline` command: a client of the services, one file per subcommand."""
