"""Pages for people: server-rendered HTML, one file and one template folder per flow."""
