"""Reports, asked for as people do."""
