//! What a path is, in words.
