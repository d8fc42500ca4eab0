//! The TR-069 client on a simulated wire, against an ACS that plays a part.

mod rows;
mod sessions;
mod standard;
mod world;
