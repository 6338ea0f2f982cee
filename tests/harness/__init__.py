"""What several rings of tests start: databases, services, simulators."""
