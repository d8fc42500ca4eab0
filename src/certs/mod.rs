//! Certificates, trust anchors and the TLS configurations made of them.
