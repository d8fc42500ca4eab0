//! Stories: what a user or a peer does and what comes of it, one module a subject.

mod alarms;
mod certs;
mod confirmed;
mod cwmp;
mod devices;
mod hosts;
mod local;
mod observed;
mod rfc4475;
mod script;
mod services;
mod sip;
mod sip_properties;
mod sip_torture;
mod snmp_against_async_snmp;
mod store;
mod unregistered;
