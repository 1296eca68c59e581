"""The command line: flags to options, options to a front-end."""
