"""The command line: one module per subcommand, loaded when it is called. The only wing that knows all others."""
