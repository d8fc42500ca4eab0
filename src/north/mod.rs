//! What a manager touches: each face a pure core and an io.rs.
