"""Reports that people keep, print and sign: a home's month, a machine before and after a repair, a company's fleet."""
