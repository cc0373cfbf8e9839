"""What tests share: engines, scratch databases, key stores."""
