"""Pages of one area; see the files beside this one."""
