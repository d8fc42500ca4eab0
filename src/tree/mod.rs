//! The device's whole configuration: snapshots, transactions, subscriptions.
