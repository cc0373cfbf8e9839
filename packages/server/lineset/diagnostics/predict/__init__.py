"""What comes next: the coming hours, what falls due, how long parts last, how a home holds heat, what the fleet teaches."""
