//! SIP: messages, transactions, registration, and the links that carry them.
