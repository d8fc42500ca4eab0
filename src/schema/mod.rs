//! Objects by name, by OID and next-after, made from `mib/` by `build.rs`.
