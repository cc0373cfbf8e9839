"""Small tools that every part of the server may use; knows no domain."""
