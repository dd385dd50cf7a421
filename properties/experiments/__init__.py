"""Forms of one layer trained side by side on real images: what of their equality a whole run keeps."""
