"""The product's own report card: what verifying costs, and what it finds beside usual ways of testing."""
